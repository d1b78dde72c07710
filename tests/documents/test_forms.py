"""The forms of text, and what their texts mean as numbers."""

import re
from decimal import Decimal

import pytest

from reconciler.documents import forms
from reconciler.documents.forms import (
    TextForm,
    millicores,
    number_text,
    seconds,
    size_bytes,
    whole_number,
    whole_uve,
)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (
            forms.PRICE,
            ["0uve", "0.000001uve", "12uve"],
            ["1", "1uakt", "-1uve", ".5uve", "1e3uve", "1 uve", "1UVE"],
        ),
        (forms.AMOUNT, ["0uve", "2500uve"], ["1.5uve", "uve", "1"]),
        (forms.MARGIN, ["0", "0.15", "999.999999"], ["-0.1", "1000", "15%", "0.1234567"]),
        (forms.DURATION, ["40s", "24h", "7d"], ["0s", "24", "1.5h", "1h30m", "h"]),
        (forms.DELAY, ["0s", "5s"], ["00s", "-1s"]),
        (forms.CPU, ["500m", "2"], ["0", "0m", "0.5", "m"]),
        (forms.SIZE, ["512Mi", "1Ti", "1048576"], ["512M", "1.5Gi", "0Mi", "512 Mi"]),
        (
            forms.ADDRESS,
            ["ve1" + "q" * 38, "ve1" + "q" * 58],
            ["ve1" + "q" * 39, "akash1" + "q" * 38, "ve1" + "b" * 38],
        ),
        (forms.NAME, ["web", "a", "a-1"], ["Web", "1a", "a-", "a" * 64, "a_b"]),
        (forms.SECRET, ["db/password", "a.b/c_D"], ["db", "/x", "db/", "db/a/b", "../x/y"]),
        (
            forms.IMAGE,
            ["nginx", "nginx:1.27", "docker.io/library/nginx:1.27", "r.example:5000/a/b@sha256:" + "a" * 64],
            ["", "Nginx", "foo bar", "-x", "a//b", "nginx:", "http://x/y", "a;b", "$(id)"],
        ),
        (forms.IMAGE_RULE, ["docker.io/evil/*", "*:latest"], ["[a]", "", "a b"]),
        (
            forms.CLOSE,
            ["decommission", "unstable, the disk fails", "manifest_timeout"],
            ["because", "decommission,x", "decommission, ", "unstable, a\nb"],
        ),
    ],
)
def test_text_formats_accept_and_reject(form: TextForm, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not re.search(form.pattern, text)] == []
    assert [text for text in bad if re.search(form.pattern, text)] == []


def test_texts_are_converted_to_numbers() -> None:
    assert (seconds("40s"), seconds("24h"), seconds("7d"), seconds("3m")) == (40, 86_400, 604_800, 180)
    assert (millicores("500m"), millicores("2")) == (500, 2000)
    assert (size_bytes("512Mi"), size_bytes("1Ki"), size_bytes("7")) == (512 << 20, 1024, 7)
    assert whole_uve("2500uve") == 2500


def test_unquoted_numbers_are_their_decimal_text() -> None:
    assert number_text(Decimal("0.150")) == "0.150"
    assert number_text(Decimal("0.0000001")) == "0.0000001"
    assert number_text(1) == "1"
    assert number_text(True) is True
    assert number_text("x") == "x"


def test_a_whole_decimal_counts_as_an_integer() -> None:
    assert whole_number(Decimal("3.0")) == 3
    assert isinstance(whole_number(Decimal("3.0")), int)
    assert whole_number(Decimal("3.5")) == Decimal("3.5")
