"""Requests that the portal's client signs with an account's key, one by one (tenant 2.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from bech32 import bech32_decode, convertbits

from reconciler.chain import keys
from reconciler.gateway.tokens import sign_document
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.json_scanner import JsonNumber, JsonObject, only_value
from reconciler.manifests.manifest import go_escaped

AGE_MAX_MS = 300_000
AHEAD_MAX_MS = 60_000
"""How far a request's time may be behind and ahead of this clock."""

NONCES_MAX, NONCES_OF_ONE_MAX = 100_000, 2_000
"""Remembered nonces in one memory and of one address. A full memory refuses further requests, as forgetting
would permit replays.
"""

PUBLIC_KEY_BYTES = 33
NAMES = {
    "address": "ve_address",
    "timestamp": "ve_ts",
    "nonce": "ve_nonce",
    "signature": "ve_sig",
    "pubkey": "ve_pub",
}
"""The last word of each header, and the query's parameter that replaces an absent one (websockets)."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NONCE = re.compile(r"[\x20\x21\x23-\x7e]{1,128}")
"""Without quotes, as the nonce is part of the signed text as it is."""


class SignatureRefusedError(Exception):
    """A signed request that permits nothing; the text is the reference's where it has one."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it was sent: `path` is encoded and without the query; of headers (names in lower case)
    and query the first of equal names.
    """

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_signed(self) -> bool:
        """Whether it has an address, which selects this scheme."""
        return bool(self.value("address"))

    def value(self, name: str) -> str:
        """A value of its signature: the header's, else the query's."""
        return (self.headers.get(f"x-ve-{name}", "").strip() or self.query.get(NAMES[name], "")).strip()


@dataclass(slots=True)
class Nonces:
    """Nonces of accepted requests, each until the request is too old to be accepted again."""

    _until: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)
    _counts: dict[str, int] = field(default_factory=dict)

    def is_used(self, address: str, nonce: str, now_ms: int) -> bool:
        """Whether an accepted request had this nonce, which its time does not refuse yet."""
        return self._until.get((address, nonce), -1) >= now_ms

    def use(self, address: str, nonce: str, until_ms: int, now_ms: int) -> None:
        """Remember a nonce; SignatureRefusedError if no room is left."""
        self._forget(now_ms)
        count = self._counts.get(address, 0)
        if len(self._until) >= NONCES_MAX or count >= NONCES_OF_ONE_MAX:
            raise SignatureRefusedError("too many signed requests; retry in a few minutes")
        self._until[address, nonce] = until_ms
        self._counts[address] = count + 1

    def _forget(self, now_ms: int) -> None:
        """Forget from the oldest on; one with a time ahead of the clock keeps later ones for that long."""
        while self._until:
            (address, _), until = entry = next(iter(self._until.items()))
            if until >= now_ms:
                return
            del self._until[entry[0]]
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]


@dataclass(frozen=True, slots=True)
class RequestVerifier:
    """Verifies signed requests to a chain's providers, each once. For one thread."""

    chain_id: str
    is_tenant: Callable[[str], bool]
    nonces_of_tenants: Nonces = field(default_factory=Nonces)
    nonces_of_others: Nonces = field(default_factory=Nonces)
    """Of addresses without a lease here: anyone can make them, so they can fill this memory only."""

    def verify(self, request: SignedRequest, now_ms: int) -> str:
        """The address that signed a request; SignatureRefusedError if it is not valid at a time (Unix
        milliseconds) or was accepted before.

        The query is not part of what is signed. An address with another prefix, or in upper case, verifies
        as in the reference, but owns no lease.
        """
        values = {name: request.value(name) for name in NAMES}
        if not self.chain_id:
            raise SignatureRefusedError("wallet auth chain id is required")
        if not all(values.values()):
            raise SignatureRefusedError("missing wallet authentication headers")
        address, nonce = values["address"], values["nonce"]
        timestamp = _checked_time(values["timestamp"], now_ms)
        if not _NONCE.fullmatch(nonce):
            raise SignatureRefusedError("invalid nonce: quotes and control characters are refused")
        memories = (self.nonces_of_tenants, self.nonces_of_others)
        if any(each.is_used(address, nonce, now_ms) for each in memories):
            raise SignatureRefusedError("nonce already used")
        key = _decoded(values["pubkey"], "public key")
        signature = _decoded(values["signature"], "signature")
        _check_address(address, key)
        data = signed_data(request, timestamp, nonce)
        if not keys.verify(key, sign_document(data, address, self.chain_id), signature):
            raise SignatureRefusedError("signature verification failed")
        nonces = self.nonces_of_tenants if self.is_tenant(address) else self.nonces_of_others
        nonces.use(address, nonce, timestamp + AGE_MAX_MS, now_ms)
        return address


def signed_data(request: SignedRequest, timestamp_ms: int, nonce: str) -> bytes:
    """The text under the signature, put together without escapes."""
    path = unquote_to_bytes(request.path)
    return b'{"method":"%b","path":"%b","timestamp":%d,"nonce":"%b","body_hash":"%b"}' % (
        request.method.upper().encode(),
        path,
        timestamp_ms,
        nonce.encode(),
        _body_hash(request.body).encode(),
    )


def _body_hash(body: bytes) -> str:
    """SHA-256 of one JSON value with sorted keys, compact, numbers as written; of any other body its own."""
    if not body:
        return ""
    try:
        text = _sorted(only_value(body))
    except ManifestError:
        return hashlib.sha256(body).hexdigest()
    except RecursionError:
        raise SignatureRefusedError("the body is nested too deeply") from None
    return hashlib.sha256(go_escaped(text).encode(errors="surrogatepass")).hexdigest()


def _sorted(value: Any) -> str:
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_sorted, value))}]"
    if isinstance(value, JsonObject):
        entries = sorted(dict(value.pairs).items())
        return f"{{{','.join(f'{_quoted(key)}:{_sorted(each)}' for key, each in entries)}}}"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _checked_time(text: str, now_ms: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise SignatureRefusedError("invalid timestamp")
    timestamp = int(text)
    if now_ms - timestamp > AGE_MAX_MS:
        raise SignatureRefusedError("request timestamp too old")
    if timestamp - now_ms > AHEAD_MAX_MS:
        raise SignatureRefusedError("request timestamp in future")
    return timestamp


def _decoded(text: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefusedError(f"invalid {name} encoding") from None
    if name == "public key" and len(raw) != PUBLIC_KEY_BYTES:
        raise SignatureRefusedError("invalid public key encoding")
    return raw


def _check_address(address: str, key: bytes) -> None:
    """SignatureRefusedError unless the address, of any prefix, is the key's."""
    _, bits = bech32_decode(address)
    raw = convertbits(bits, 5, 8, False) if bits else None
    if raw is None:
        raise SignatureRefusedError("invalid address")
    if bytes(raw) != keys.address_bytes_of(key):
        raise SignatureRefusedError("address does not match public key")
