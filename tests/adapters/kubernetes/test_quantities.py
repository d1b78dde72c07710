from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kubernetes.quantities import (
    bytes_quantity,
    canonical,
    count_quantity,
    cpu_quantity,
    milli,
    parse_quantity,
    whole,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("1k", "1000"),
        ("12E", "12000000000000000000"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("100n", "0.0000001"),
        ("-1", "-1"),
    ],
)
def test_a_quantity_is_exact(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "1KiB", "ten", "1e", "--1"])
def test_invalid_quantities_are_errors(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.1", "100m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1.5Ki", "1536"),
        ("512", "512"),
        ("2000", "2k"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1073741824", "1073741824"),
    ],
)
def test_each_quantity_has_one_canonical_spelling(text: str, spelling: str) -> None:
    assert canonical(text) == spelling


def test_fractions_are_rounded_up() -> None:
    assert milli("0.0001") == 1
    assert milli("100n") == 1
    assert whole("1500m") == 2


@given(st.integers(0, 2**63))
def test_written_quantities_are_canonical_and_exact(amount: int) -> None:
    for written, read in ((cpu_quantity, milli), (bytes_quantity, whole), (count_quantity, whole)):
        assert read(written(amount)) == amount
        assert canonical(written(amount)) == written(amount)
