"""The canonical writer: read back as it was, by our reader and by any other."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.documents.document import Node
from reconciler.documents.yaml_reader import read_yaml
from reconciler.documents.yaml_writer import write_yaml

TRICKY = [
    "NO",
    "1e3",
    "0o7",
    "y",
    "=",
    "<<",
    "- a",
    "a: b",
    "a #b",
    "#",
    "",
    " ",
    "~",
    "null",
    "010",
    "12:30",
    "'",
    '"',
]
TEXT = st.sampled_from(TRICKY) | st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.integers(-(10**20), 10**20) | st.decimals(-(10**9), 10**9, places=3)
LEAVES = TEXT | NUMBERS | st.booleans() | st.none()
TREES = st.recursive(
    LEAVES,
    lambda nodes: st.lists(nodes, max_size=4) | st.dictionaries(TEXT, nodes, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)  # other processes share the machine
@given(st.dictionaries(TEXT, TREES, max_size=5))
def test_written_values_round_trip(root: dict[str, Node]) -> None:
    written = write_yaml(root)
    assert read_yaml("f", written).root == root
    assert write_yaml(root) == written


@settings(deadline=None)  # other processes share the machine
@given(st.dictionaries(TEXT, TEXT, max_size=5))
def test_yaml_1_1_and_1_2_readers_read_the_same_texts(root: dict[str, str]) -> None:
    written = write_yaml(dict(root))
    assert yaml.safe_load(written) == root
    assert YAML(typ="safe", pure=True).load(written) == root


def test_the_written_format() -> None:
    written = write_yaml(
        {"a": {"b": [1, {"c": "x y", "d": []}, ["z"]]}, "e": "NO", "f": "1\n2", "g": Decimal("1.0")}
    )
    assert written.decode() == (
        'a:\n  b:\n    - 1\n    - c: x y\n      d: []\n    -\n      - z\ne: "NO"\nf: "1\\n2"\ng: 1.0\n'
    )


def test_unwritable_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        write_yaml({"a": Decimal("NaN")})
    with pytest.raises(ValueError, match="more than 500 characters"):
        write_yaml({"k" * 501: 1})
