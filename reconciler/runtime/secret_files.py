"""Secret files: reloaded when they change, rejected if other users can read them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

FILE_MAX_BYTES = 64 * 1024
TOKEN_MIN = 20
"""Characters; shorter ones can be guessed."""

DIGEST = "sha256:"

Content = TypeVar("Content")


class SecretError(Exception):
    """A secret file cannot be used; the message has the reason and what to do, never the content."""


@dataclass(frozen=True, slots=True)
class Token:
    """A line of the token file: the token's digest, its name, and its expiry (unix seconds, None: never)."""

    digest: bytes
    name: str
    until: int | None = None

    def matches(self, text: str) -> bool:
        """Whether the text is the token, compared in constant time."""
        return hmac.compare_digest(self.digest, hashlib.sha256(text.encode("utf-8", "replace")).digest())


class SecretFile(Generic[Content]):
    """A file's content; the last valid one if a changed file is invalid."""

    def __init__(self, path: Path, read: Callable[[Path, str], Content]) -> None:
        self.path = path
        self._read = read
        self._stat = self._current_stat()
        self._content = read(path, _text(path))

    @property
    def content(self) -> Content:
        """The last valid content."""
        return self._content

    def refresh(self) -> bool:
        """Reload the file if it changed; whether it did. SecretError if it is invalid."""
        stat = self._current_stat()
        if stat == self._stat:
            return False
        self._stat = stat
        self._content = self._read(self.path, _text(self.path))
        return True

    def __str__(self) -> str:
        return str(self.path)

    def _current_stat(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise _unreadable(self.path, error) from None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_tokens(path: Path, text: str) -> tuple[Token, ...]:
    """Lines of `TOKEN-OR-sha256:DIGEST [NAME [UNTIL]]`; # starts a comment."""
    found = tuple(_token(path, number, words) for number, words in _lines(text))
    if not found:
        raise SecretError(
            f"the token file {path} holds no token; write one a line, such as the output of "
            f"`openssl rand -hex 32`"
        )
    return found


def read_plaintext_tokens(path: Path, text: str) -> tuple[tuple[str, Token], ...]:
    """Plaintext tokens only: a hash cannot be presented."""
    return tuple(
        (words[0], _token(path, number, words))
        for number, words in _lines(text)
        if not words[0].startswith(DIGEST)
    )


def read_token(path: Path, text: str) -> str:
    """The token on the first line."""
    token = text.split("\n", 1)[0].strip()
    if len(token) < TOKEN_MIN:
        raise SecretError(f"the token in {path} is shorter than {TOKEN_MIN} characters; write a complete one")
    return token


def read_hook_secret(path: Path, text: str) -> bytes:
    """The webhook secret on the first line."""
    secret = text.split("\n", 1)[0].rstrip("\r")
    if len(secret) < TOKEN_MIN:
        raise SecretError(
            f"the webhook secret in {path} is shorter than {TOKEN_MIN} characters; write a longer one, such "
            f"as the output of `openssl rand -hex 32`, and set it at the forge too"
        )
    return secret.encode()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.partition("#")[0].split():
            yield number, words


def _token(path: Path, number: int, words: list[str]) -> Token:
    where = f"{path}:{number}"
    if len(words) > 3:
        raise SecretError(f"{where}: more than three fields; write TOKEN NAME UNTIL")
    secret, name, until = [*words, "", ""][:3]
    if not secret.startswith(DIGEST) and len(secret) < TOKEN_MIN:
        raise SecretError(f"{where}: the token is shorter than {TOKEN_MIN} characters; write a longer one")
    return Token(_digest(where, secret), name or f"token {number}", _until(where, until))


def _digest(where: str, secret: str) -> bytes:
    if not secret.startswith(DIGEST):
        return hashlib.sha256(secret.encode()).digest()
    try:
        digest = bytes.fromhex(secret.removeprefix(DIGEST))
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise SecretError(f"{where}: {DIGEST} is followed by 64 hex digits, as sha256sum prints them")
    return digest


def _until(where: str, text: str) -> int | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SecretError(
            f"{where}: {text[:40]} is not a time; write one such as 2027-01-31T00:00:00Z"
        ) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            content = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if mode & 0o077:
        raise SecretError(f"other users may read {path}; run chmod 600 {path}")
    if len(content) > FILE_MAX_BYTES:
        raise SecretError(f"{path} is longer than {FILE_MAX_BYTES} bytes; this is not a secret file")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{path} is not text; write one line for each secret") from None


def _unreadable(path: Path, error: OSError) -> SecretError:
    return SecretError(
        f"{path} cannot be read: {error.strerror}; make it readable for the daemon's user, or change its "
        f"path in the host file"
    )
