"""Keyring directories of the Cosmos SDK: opened, and extended with keys."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from jwcrypto.common import JWException, json_encode
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from reconciler.chain.keys import PrivateKey, address_bytes, address_of
from reconciler.chain.proto.cosmos_keyring_pb2 import Record
from reconciler.chain.proto.cosmos_secp256k1_pb2 import PrivKey, PubKey

TEST_PASSPHRASE = "test"  # noqa: S105  # the SDK's constant for its unprotected `test` directories
PASSPHRASE_LENGTH = 8
"""Shortest passphrase that the SDK accepts for a new `file` directory."""

BCRYPT_ROUNDS = 10
ALGORITHMS = ("PBES2-HS256+A128KW", "A256GCM")


class KeyMissingError(Exception):
    """The keyring has no such key."""


class KeyLockedError(Exception):
    """The keyring, or a key in it, cannot be decrypted with this passphrase."""


class KeyExistsError(Exception):
    """A key with this name or address exists; nothing was overwritten."""


@dataclass(frozen=True, slots=True)
class KeyringEntry:
    """The public part of a key: `type` is local, ledger, multi or offline, `public` its compressed bytes."""

    name: str
    type: str
    address: str
    public: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """One opened directory, `keyring-test` or `keyring-file`."""

    directory: Path
    passphrase: str = field(repr=False)

    def entries(self) -> tuple[KeyringEntry, ...]:
        """All keys, sorted by name."""
        names = sorted(path.name.removesuffix(".info") for path in self.directory.glob("*.info"))
        return tuple(self.show(_unescaped(name)) for name in names)

    def show(self, name: str) -> KeyringEntry:
        """One key by name or address; KeyMissingError if there is none."""
        record = self._record(name)
        public = PubKey.FromString(record.pub_key.value).key
        kind = record.WhichOneof("item") or "offline"
        return KeyringEntry(record.name, kind, _address(public), public)

    def key(self, name: str) -> PrivateKey:
        """The private key; KeyMissingError if the keyring holds only its public key."""
        return _local(self._record(name), name, str(self.directory))

    def add(self, name: str, key: PrivateKey) -> KeyringEntry:
        """Store a key under a new name; KeyExistsError where its name or address is taken."""
        index = f"{address_bytes(key.address).hex()}.address"
        if not name or name.startswith(".") or "/" in name:
            raise ValueError(f"{name!r} cannot name a key; use letters, digits, - and _")
        for item in (f"{name}.info", index):
            if self._path(item).exists():
                raise KeyExistsError(f"{self.directory} has {item} already; choose another name or key")
        self._write(f"{name}.info", _record_of(name, key).SerializeToString())
        self._write(index, f"{name}.info".encode())
        return self.show(name)

    def _record(self, name: str) -> Record:
        item = f"{name}.info"
        if name.startswith("ve1") and not self._path(item).exists():
            item = self._named_at(name)
        return Record.FromString(self._read(item))

    def _named_at(self, address: str) -> str:
        try:
            return self._read(f"{address_bytes(address).hex()}.address").decode()
        except ValueError as error:
            raise KeyMissingError(str(error)) from error

    def _read(self, item: str) -> bytes:
        path = self._path(item)
        try:
            sealed = path.read_text(encoding="ascii")
        except FileNotFoundError:
            raise KeyMissingError(_missing(self.directory, item)) from None
        return _unsealed(sealed, self.passphrase, str(path))

    def _write(self, item: str, content: bytes) -> None:
        header = {"alg": ALGORITHMS[0], "created": str(datetime.now(UTC)), "enc": ALGORITHMS[1]}
        token = JWE(_item(item, content), json_encode(header), algs=list(ALGORITHMS))
        token.add_recipient(JWK.from_password(self.passphrase))
        _create(self._path(item), token.serialize(compact=True).encode())

    def _path(self, item: str) -> Path:
        return self.directory / _escaped(item)


def open_keyring(directory: Path, passphrase: str | None = None) -> Keyring:
    """Open `keyring-test` or `keyring-file`: the directory itself, or the one inside it.

    KeyLockedError if a `file` keyring's passphrase is missing or wrong, KeyMissingError without a keyring.
    """
    keyring = _located(directory)
    hashed = keyring / "keyhash"
    if not hashed.exists():
        return Keyring(keyring, TEST_PASSPHRASE)
    if passphrase is None:
        raise KeyLockedError(f"{keyring} is encrypted; provide its passphrase")
    if not bcrypt.checkpw(passphrase.encode(), hashed.read_bytes().strip()):
        raise KeyLockedError(f"the passphrase of {keyring} is wrong; provide the one it was created with")
    return Keyring(keyring, passphrase)


def create_keyring(directory: Path, passphrase: str | None = None) -> Keyring:
    """Create an empty `keyring-file` with a passphrase, else `keyring-test`; open it if it exists."""
    name = "keyring-test" if passphrase is None else "keyring-file"
    made = directory if directory.name == name else directory / name
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    if passphrase is not None and not (made / "keyhash").exists():
        if len(passphrase) < PASSPHRASE_LENGTH:
            raise ValueError(f"the passphrase needs at least {PASSPHRASE_LENGTH} characters")
        salt = bcrypt.gensalt(BCRYPT_ROUNDS, prefix=b"2a")
        _create(made / "keyhash", bcrypt.hashpw(passphrase.encode(), salt))
    return open_keyring(made, passphrase)


def file_of(name: str) -> str:
    """The name of a key's file."""
    return _escaped(f"{name}.info")


def unseal_key(sealed: bytes, passphrase: str, name: str, where: str) -> PrivateKey:
    """The private key in the bytes of a key's file; KeyLockedError and KeyMissingError name `where`."""
    try:
        record = Record.FromString(_unsealed(sealed.decode("ascii", "replace"), passphrase, where))
    except DecodeError:
        raise KeyLockedError(f"{where} contains no key") from None
    return _local(record, name, where)


def _unsealed(sealed: str, passphrase: str, where: str) -> bytes:
    token = JWE(algs=list(ALGORITHMS))
    try:
        token.deserialize(sealed, JWK.from_password(passphrase))
        return b64decode(json.loads(token.payload)["Data"])
    except (JWException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeyLockedError(f"{where} cannot be decrypted with this passphrase") from error


def _local(record: Record, name: str, where: str) -> PrivateKey:
    if not record.HasField("local"):
        kind = record.WhichOneof("item")
        raise KeyMissingError(f"the key {name!r} in {where} is of type {kind}; use a local key")
    return PrivateKey(PrivKey.FromString(record.local.priv_key.value).key)


def _located(directory: Path) -> Path:
    candidates = [directory / "keyring-file", directory / "keyring-test"]
    if directory.name in ("keyring-file", "keyring-test") or next(directory.glob("*.info"), None):
        candidates = [directory]
    existing = [path for path in candidates if path.is_dir()]
    if len(existing) == 2:
        raise KeyMissingError(f"{directory} contains keyring-file and keyring-test; name one of them")
    if not existing:
        raise KeyMissingError(
            f"{directory} contains no keyring; create one with provider-daemon keys add NAME"
        )
    return existing[0]


def _missing(directory: Path, item: str) -> str:
    name = item.removesuffix(".info")
    known = ", ".join(sorted(path.name.removesuffix(".info") for path in directory.glob("*.info")))
    advice = f"use one of {known}, or add it" if known else "add it"
    return f"{directory} has no key {name!r}; {advice} with provider-daemon keys add"


def _record_of(name: str, key: PrivateKey) -> Record:
    public, private = Any(), Any()
    public.Pack(PubKey(key=key.public), type_url_prefix="/")
    private.Pack(PrivKey(key=key.secret), type_url_prefix="/")
    return Record(name=name, pub_key=public, local=Record.Local(priv_key=private))


def _address(public: bytes) -> str:
    """The address of a single secp256k1 key; empty for any other key."""
    return address_of(public) if len(public) == 33 else ""


def _item(key: str, content: bytes) -> str:
    fields = {"Key": key, "Data": b64encode(content).decode(), "Label": "", "Description": ""}
    flags = {"KeychainNotTrustApplication": False, "KeychainNotSynchronizable": False}
    return json.dumps({**fields, **flags}, separators=(",", ":"))


def _create(path: Path, content: bytes) -> None:
    """Create a file with mode 0600; FileExistsError if it exists."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _escaped(item: str) -> str:
    return item.replace("%", "%25").replace("/", "%2F")


def _unescaped(item: str) -> str:
    return item.replace("%2F", "/").replace("%25", "%")
