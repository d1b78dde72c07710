"""Places of keys and values."""

from reconciler.documents.document import SourcePosition
from reconciler.documents.yaml_reader import read_yaml

TEXT = b"a:\n  b:\n    - c: 1\n      d: [x, z]\n    - 2\ne:\n"


def test_places_of_values_and_keys() -> None:
    document = read_yaml("f.yaml", TEXT)
    assert document.place(("a", "b", 0, "d", 1)) == SourcePosition(4, 14)
    assert document.place(("a", "b", 0, "d"), of_key=True) == SourcePosition(4, 7)
    assert document.place(("a", "b", 1)) == SourcePosition(5, 7)
    assert document.place(("e",)) == SourcePosition(6, 1)


def test_a_missing_key_has_the_position_of_its_parent() -> None:
    document = read_yaml("f.yaml", TEXT)
    assert document.place(("a", "missing")) == SourcePosition(1, 1)
    assert document.place(("a", "b", 0, "missing")) == SourcePosition(3, 7)
    assert document.place(("missing",)) == SourcePosition(1, 1)


def test_a_fault_shows_its_path() -> None:
    shown = read_yaml("f.yaml", TEXT).fault(("a", "b", 1), "bad", "write 3").describe()
    assert shown == "f.yaml:5:7: a.b.1: bad (write 3)"
