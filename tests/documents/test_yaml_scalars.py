"""Unquoted words: what every reader agrees on, and what is refused."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.yaml_scalars import NUMBER_LENGTH_MAX, DoubtfulScalarError, Scalar, plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-7", -7),
        ("1000001", 1000001),
        ("0.15", Decimal("0.15")),
        ("1.50", Decimal("1.50")),
        ("0.000001uve", "0.000001uve"),
        ("500m", "500m"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.1", "10.0.0.1"),
        ("80:8080", "80:8080"),
        ("nginx:1.27", "nginx:1.27"),
        ("-", "-"),
    ],
)
def test_unambiguous_scalars_are_read(text: str, value: Scalar) -> None:
    read = plain_scalar(text)
    assert read == value
    assert type(read) is type(value)


def test_a_decimal_keeps_its_text() -> None:
    assert str(plain_scalar("0.10")) == "0.10"
    assert str(plain_scalar("0.00000000000000000000123")) == "1.23E-21"


@pytest.mark.parametrize(
    "text",
    [
        *("NO", "no", "on", "Off", "y", "N", "yes", "=", "<<"),
        *("010", "0o7", "0x1F", "0b11", "1_000", "1e3", "1.5E-7", ".5", "1.", "+1", "00", "-0", "01.5"),
        *(".inf", "-.INF", ".nan", "12:30:45", "22:22", "2026-11-24", "2026-11-24T10:00:00Z"),
    ],
)
def test_ambiguous_scalars_are_refused(text: str) -> None:
    with pytest.raises(DoubtfulScalarError) as caught:
        plain_scalar(text)
    assert f'"{text}"' in caught.value.advice


def test_an_overlong_number_is_refused() -> None:
    with pytest.raises(DoubtfulScalarError, match=f"use at most {NUMBER_LENGTH_MAX}"):
        plain_scalar("9" * (NUMBER_LENGTH_MAX + 1))


@settings(deadline=None)  # other processes share the machine
@given(st.text(alphabet="0123456789.-+_:eExobyntfaNOrulsi~", min_size=1, max_size=8))
def test_accepted_scalars_mean_the_same_in_yaml_1_1(text: str) -> None:
    try:
        value = plain_scalar(text)
    except DoubtfulScalarError:
        return
    tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # its stub has none
    names = {str: "str", int: "int", Decimal: "float", bool: "bool", type(None): "null"}
    assert tag == f"tag:yaml.org,2002:{names[type(value)]}"
