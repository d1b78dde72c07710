"""Bech32 addresses with the chain's own error texts, and the module accounts (semantics 1.1)."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import bech32

PREFIX = "ve"
_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class AddressError(ValueError):
    """A text that is no address of this chain; the message is the node's."""


@lru_cache(maxsize=65536)
def raw(address: str) -> bytes:
    """The bytes of an address; AddressError has the node's message."""
    if not address.strip():
        raise AddressError("empty address string is not allowed")
    prefix, words = _decode(address)
    if prefix != PREFIX:
        raise AddressError(f"invalid Bech32 prefix; expected {PREFIX}, got {prefix}")
    converted = bech32.convertbits(words, 5, 8, False)
    if converted is None:
        raise AddressError("decoding bech32 failed: invalid incomplete group")
    return bytes(converted)


def text(address: bytes) -> str:
    """The address of these bytes."""
    return str(bech32.bech32_encode(PREFIX, bech32.convertbits(address, 8, 5) or []))


def of_public_key(key: bytes) -> str:
    """The account of a compressed secp256k1 public key: ripemd160(sha256(key))."""
    ripemd = hashlib.new("ripemd160")
    ripemd.update(hashlib.sha256(key).digest())
    return text(ripemd.digest())


def of_module(name: str) -> str:
    """A module's own account: the first 20 bytes of sha256 of its name."""
    return text(hashlib.sha256(name.encode()).digest()[:20])


def _decode(address: str) -> tuple[str, list[int]]:
    for sign in address:
        if not 33 <= ord(sign) <= 126:
            raise AddressError(f"decoding bech32 failed: invalid character in string: '{sign}'")
    if address.lower() != address and address.upper() != address:
        raise AddressError("decoding bech32 failed: string not all lowercase or all uppercase")
    lower = address.lower()
    if len(lower) < 8:
        raise AddressError(f"decoding bech32 failed: invalid bech32 string length {len(lower)}")
    split = lower.rfind("1")
    if split < 1 or split + 7 > len(lower):
        raise AddressError(f"decoding bech32 failed: invalid separator index {split}")
    prefix, words = lower[:split], [_CHARSET.find(sign) for sign in lower[split + 1 :]]
    if -1 in words:
        sign = lower[split + 1 + words.index(-1)]
        raise AddressError(
            "decoding bech32 failed: failed converting data to bytes: "
            f"invalid character not part of charset: {ord(sign)}"
        )
    expected = "".join(_CHARSET[word] for word in bech32.bech32_create_checksum(prefix, words[:-6]))
    if expected != lower[-6:]:
        raise AddressError(f"decoding bech32 failed: invalid checksum (expected {expected} got {lower[-6:]})")
    return prefix, words[:-6]


FEE_COLLECTOR = of_module("fee_collector")
ESCROW = of_module("escrow")
DISTRIBUTION = of_module("distribution")
SETTLEMENT = of_module("settlement")
GOVERNANCE = of_module("gov")
