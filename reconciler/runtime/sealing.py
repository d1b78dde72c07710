"""Values sealed with age: anybody may seal for the provider, only the holder of its identity can unseal."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path

import pyrage

from reconciler.runtime.secret_files import SecretError, SecretFile

SEALED = "age1:"
"""Prefix of a sealed value; the rest is an age file in base64."""

IDENTITY_PREFIX = "AGE-SECRET-KEY-"
PLAIN_BYTES_MAX = 2 << 20


class SealingError(Exception):
    """A value cannot be sealed or unsealed; the text says why and what to do, never the value."""


def seal(plain: bytes, recipient: str) -> str:
    """The sealed value; SealingError if the recipient is invalid. Sealing again gives another text."""
    try:
        key = pyrage.x25519.Recipient.from_str(recipient)
        return SEALED + base64.b64encode(pyrage.encrypt(plain, [key])).decode()
    except (pyrage.RecipientError, pyrage.EncryptError) as error:
        raise SealingError(
            f"{recipient[:80]!r} is not an age recipient ({error}); write the one that "
            "`provider-daemon seal --new-identity` prints"
        ) from None


def new_identity() -> tuple[str, str]:
    """A new identity and its recipient."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


class Identities:
    """The identities of a file, mode 0600, one a line, the newest last; the file is read when it changed.

    After a rotation the older ones still unseal what was sealed before. Thread-safe.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: SecretFile[tuple[pyrage.x25519.Identity, ...]] | None = None

    def unseal(self, sealed: str) -> bytes:
        """The plain value; SealingError if the file is missing or invalid, or holds no identity for it."""
        encrypted = _encrypted(sealed)
        try:
            return bytes(pyrage.decrypt(encrypted, list(self._identities())))
        except pyrage.DecryptError:
            raise SealingError(
                f"the value was sealed for another identity than those in {self.path}, or is damaged; seal "
                "it again with the recipient in the host file"
            ) from None

    def fault(self) -> str:
        """Why nothing can be unsealed now; "" if the file is in order."""
        try:
            self._identities()
        except SealingError as error:
            return str(error)
        return ""

    def recipients(self) -> tuple[str, ...]:
        """The recipients of the identities; SealingError as `unseal`."""
        return tuple(str(each.to_public()) for each in self._identities())

    def _identities(self) -> tuple[pyrage.x25519.Identity, ...]:
        try:
            if (file := self._file) is None:
                file = SecretFile(self.path, _read_identities)
            file.refresh()
        except SecretError as error:
            self._file = None
            raise SealingError(f"the age identity cannot be used: {error}") from None
        self._file = file
        return file.content


def add_identity(path: Path, identity: str) -> None:
    """Add an identity to its file, which is made with mode 0600; OSError where that fails."""
    before = path.read_text(encoding="ascii") if path.exists() else ""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(before + ("" if before.endswith("\n") or not before else "\n") + identity + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _read_identities(path: Path, text: str) -> tuple[pyrage.x25519.Identity, ...]:
    lines: Sequence[str] = [line.strip() for line in text.splitlines()]
    try:
        found = tuple(
            pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")
        )
    except pyrage.IdentityError:
        found = ()
    if not found:
        raise SecretError(
            f"{path} holds no age identities; restore it from the backup, or make one with "
            "`provider-daemon seal --new-identity`"
        )
    return found


def _encrypted(sealed: str) -> bytes:
    if not sealed.startswith(SEALED) or len(sealed) > 2 * PLAIN_BYTES_MAX:
        raise SealingError(f"the value is not sealed: it does not start with {SEALED}, or is too long")
    try:
        return base64.b64decode(sealed.removeprefix(SEALED), validate=True)
    except (binascii.Error, ValueError):
        raise SealingError("the sealed value is cut or damaged; copy all of it") from None
