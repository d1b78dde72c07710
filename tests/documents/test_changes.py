"""Two versions of a file, key by key, in the words of the file."""

from __future__ import annotations

from reconciler.documents.changes import TEXT_MAX, file_changes
from reconciler.values.preview import FieldChange, FileChange


def changed(old: bytes, new: bytes, path: str = "pricing.yaml") -> tuple[FieldChange, ...]:
    (found,) = file_changes({path: "old"}, {path: "new"}, {"old": old, "new": new})
    assert (found.path, found.verb) == (path, "changed")
    return found.fields


def test_a_changed_key_is_shown_as_written() -> None:
    assert changed(
        b"pricing:\n  gpu: 5uve\n  memory_mb: 1uve\n", b"pricing:\n  gpu: 6uve\n  profit_margin: 0.150\n"
    ) == (
        FieldChange("pricing.gpu", "5uve", "6uve"),
        FieldChange("pricing.memory_mb", "1uve", ""),
        FieldChange("pricing.profit_margin", "", "0.15"),
    )


def test_a_named_entry_put_first_changes_no_other() -> None:
    old = b"services:\n  - {name: web, image: a}\n"
    new = b"services:\n  - {name: db, image: b}\n  - {name: web, image: c}\n"
    assert changed(old, new) == (
        FieldChange("services.web.image", "a", "c"),
        FieldChange("services.db.name", "", "db"),
        FieldChange("services.db.image", "", "b"),
    )


def test_a_comment_or_another_order_changes_no_key() -> None:
    assert changed(b"a: 1\nb: [x, y]\n", b"# why\nb: [x, y]\na: 1\n") == ()


def test_added_removed_and_renamed_files_are_reported_once() -> None:
    old = {"pricing.yaml": "1", "workloads/a.yaml": "2", "workloads/b.yaml": "3", "README.md": "4"}
    new = {"config.yaml": "5", "workloads/c.yaml": "2", "workloads/b.yaml": "3", "README.md": "6"}
    assert file_changes(old, new, {}) == (
        FileChange("config.yaml", "added"),
        FileChange("pricing.yaml", "removed"),
        FileChange("workloads/c.yaml", "renamed", "workloads/a.yaml"),
    )


def test_a_long_value_is_truncated_and_a_broken_file_has_no_keys() -> None:
    (found,) = changed(b"a: 1\n", b"a: " + b"x" * 1000 + b"\n")
    assert len(found.new) < TEXT_MAX + 30
    assert found.new.endswith("(1000 characters)")
    assert changed(b"a: 1\n", b"a: [\n") == (FieldChange("a", "1", ""),)
