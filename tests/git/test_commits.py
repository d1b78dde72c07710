"""What a commit says of itself, whatever its bytes are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.commits import (
    COMMIT_BYTES_MAX,
    SUPERSEDED_BYTES_MAX,
    commit_heading,
    parse_commit,
    superseded,
)
from reconciler.git.mirror import Mirror
from reconciler.values.times import UNIX_SECONDS_MAX
from tests.git.forge import Forge

OBJECT = b"tree %s\nauthor Olga <o@example.com> %s\ncommitter Carl <c@example.com> %s\n\n%s"


def parsed(when: bytes = b"1800000000 +0000", message: bytes = b"one\n") -> tuple[str, str, int]:
    found = parse_commit(OBJECT % (b"1" * 40, b"1 +0000", when, message))
    return found.author, found.subject, found.committed_at


def test_author_subject_and_the_committers_time() -> None:
    assert parsed(message=b"one\ntwo\n\nthree") == ("Olga", "one two", 1_800_000_000)


@pytest.mark.parametrize(
    "when",
    [b"999999999999 +0000", b"-1 +0000", b"18446744073709551615 +0000", b"9" * 5000, b"x", b"", b"1e9 +0000"],
)
def test_an_impossible_date_is_unknown(when: bytes) -> None:
    assert parsed(when)[2] == 0


def test_an_invalid_time_zone_changes_nothing() -> None:
    assert parsed(b"1800000000 +999999")[2] == 1_800_000_000


def test_latin_1_messages_are_decoded() -> None:
    assert parsed(message="Gr\u00fc\u00dfe".encode("latin-1"))[1] == "Gr\u00fc\u00dfe"


def test_a_huge_commit_is_not_read(mirror: Mirror, forge: Forge) -> None:
    forge.commit("x" * 10)
    tree = forge.git("rev-parse", "HEAD^{tree}")
    commit = forge.git("commit-tree", tree, stdin=b"x" * (COMMIT_BYTES_MAX + 1))
    forge.git("update-ref", "refs/heads/main", commit)
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        assert "bytes, which is not read" in commit_heading(mirror, commit).subject


def test_a_huge_superseded_commit_is_listed_and_not_read(mirror: Mirror, forge: Forge) -> None:
    first = forge.commit("one")
    tree = forge.git("rev-parse", "HEAD^{tree}")
    long = forge.git("commit-tree", tree, "-p", first, stdin=b"x" * (SUPERSEDED_BYTES_MAX + 1))
    newest = forge.git("commit-tree", tree, "-p", long, "-m", "newest")
    forge.git("update-ref", "refs/heads/main", newest)
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        [found] = superseded(mirror, first, newest)
        assert (found.id, "bytes, which is not read" in found.subject) == (long, True)
        assert superseded(mirror, "0" * 40, newest) == ()


@given(st.binary(max_size=300))
def test_any_bytes_have_a_heading(content: bytes) -> None:
    found = parse_commit(content)
    assert found.subject.isprintable()
    assert 0 <= found.committed_at <= UNIX_SECONDS_MAX
