"""Secret files: strict parsing, and messages without secrets."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reconciler.runtime.secret_files import SecretError, SecretFile, read_tokens

LONG = "0123456789abcdef0123"
DIGEST = hashlib.sha256(b"another-secret-0123456").hexdigest()


def tokens(tmp_path: Path, text: str) -> SecretFile[object]:
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(0o600)
    return SecretFile(path, read_tokens)


def test_tokens_have_names_and_expiries(tmp_path: Path) -> None:
    text = f"# first\n\n{LONG} grafana 2027-01-01T00:00:00+01:00  # monitoring\nsha256:{DIGEST}\n"
    first, second = read_tokens(Path("t"), text)
    assert (first.name, first.until) == ("grafana", 1_798_758_000)
    assert (second.name, second.until) == ("token 4", None)
    assert first.matches(LONG)
    assert not first.matches(f"{LONG} ")
    assert second.matches("another-secret-0123456")
    assert not second.matches(DIGEST)
    assert not second.matches("\ud800")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no token; write one a line"),
        ("short\n", ":1: the token is shorter than 20 characters; write a longer one"),
        (f"{LONG} a 2027-01-01 more\n", ":1: more than three fields; write TOKEN NAME UNTIL"),
        (f"\n{LONG} a tomorrow\n", ":2: tomorrow is not a time; write one such as 2027-01-31T00:00:00Z"),
        ("sha256:abc\n", ":1: sha256: is followed by 64 hex digits, as sha256sum prints them"),
        (f"sha256:{'z' * 64}\n", ":1: sha256: is followed by 64 hex digits"),
    ],
)
def test_errors_have_the_line_and_not_the_secret(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SecretError) as caught:
        tokens(tmp_path, text)
    assert sentence in str(caught.value)
    assert LONG not in str(caught.value)


def test_a_file_readable_by_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(LONG)
    for mode in (0o604, 0o640, 0o666):
        path.chmod(mode)
        with pytest.raises(SecretError, match=f"other users may read {path}; run chmod 600 {path}"):
            SecretFile(path, read_tokens)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(b"\xff\xfe" * 20)
    path.chmod(0o600)
    with pytest.raises(SecretError, match="is not text"):
        SecretFile(path, read_tokens)


def test_a_changed_secret_is_reloaded_and_an_invalid_one_ignored(tmp_path: Path) -> None:
    file = tokens(tmp_path, LONG)
    old = file.content
    assert not file.refresh()
    file.path.write_text("short")
    with pytest.raises(SecretError):
        file.refresh()
    assert file.content is old
    assert not file.refresh(), "reported once"
    file.path.unlink()
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        file.refresh()
    assert file.content is old
