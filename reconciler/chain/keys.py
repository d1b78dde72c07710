"""Keys of accounts: from a mnemonic, to addresses and signatures (semantics 1.1, 1.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from bech32 import bech32_decode, bech32_encode, convertbits
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mnemonic import Mnemonic

PREFIX = "ve"
"""Prefix of account addresses; the chain's Bech32Prefix query returns another one (semantics 1.1)."""

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 1 << 31
PATH = (44 + HARDENED, 118 + HARDENED, HARDENED, 0, 0)
"""m/44'/118'/0'/0/0, without a BIP-39 passphrase (semantics 1.1)."""

WORDS_STRENGTH_BITS = 256


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A secp256k1 key; its repr hides the secret."""

    secret: bytes = field(repr=False)
    public: bytes = field(init=False, compare=False)
    """The compressed public key, 33 bytes."""
    address: str = field(init=False, compare=False)
    """The account's address, `ve1...`."""
    _key: ec.EllipticCurvePrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the public key once; ValueError for a secret that is no key."""
        key = ec.derive_private_key(int.from_bytes(self.secret, "big"), ec.SECP256K1())
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        for name, value in (("_key", key), ("public", public), ("address", address_of(public))):
            object.__setattr__(self, name, value)

    def sign(self, message: bytes) -> bytes:
        """r || s over sha256 of the message, 64 bytes: deterministic (RFC 6979), s in the lower half."""
        der = self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        low = min(s, CURVE_ORDER - s)
        return r.to_bytes(32, "big") + low.to_bytes(32, "big")

    def authenticate(self, purpose: str, message: bytes) -> str:
        """HMAC-SHA256 of a message, in hexadecimal, by a key derived (HKDF) from this one for one purpose."""
        derived = HKDF(SHA256(), 32, salt=None, info=f"virtengine-provider-gitops {purpose}".encode())
        return hmac.digest(derived.derive(self.secret), message, "sha256").hex()


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes, low s) of the message is valid for the public key."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or s > CURVE_ORDER // 2:
        return False
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def address_of(public: bytes) -> str:
    """The address of a compressed public key."""
    return address_text(address_bytes_of(public))


def address_bytes_of(public: bytes) -> bytes:
    """ripemd160(sha256(public key)), 20 bytes."""
    return hashlib.new("ripemd160", hashlib.sha256(public).digest()).digest()


def address_text(raw: bytes) -> str:
    """The bech32 form of an address's bytes."""
    bits = convertbits(raw, 8, 5)
    assert bits is not None, "bytes always regroup with padding"
    return bech32_encode(PREFIX, bits)


def address_bytes(text: str) -> bytes:
    """The bytes of an address; ValueError unless it is a valid address of this chain."""
    prefix, bits = bech32_decode(text)
    raw = convertbits(bits, 5, 8, False) if prefix == PREFIX and bits else None
    if raw is None or len(raw) not in (20, 32):
        raise ValueError(
            f"{text!r} is not an address of this chain; copy the whole address, which starts with {PREFIX}1"
        )
    return bytes(raw)


def new_words() -> str:
    """24 new English words (BIP-39) from the system's randomness."""
    return str(Mnemonic("english").generate(WORDS_STRENGTH_BITS))


def key_from_words(words: str) -> PrivateKey:
    """The key of a mnemonic; ValueError if a word or the checksum is wrong."""
    text = " ".join(words.lower().split())
    if not Mnemonic("english").check(text):
        raise ValueError("not a valid BIP-39 mnemonic of 12 to 24 words; check for a mistyped word")
    seed = Mnemonic.to_seed(text)
    root = hmac.digest(b"Bitcoin seed", seed, "sha512")
    secret, chain_code = root[:32], root[32:]
    for index in PATH:
        secret, chain_code = _child(secret, chain_code, index)
    return PrivateKey(secret)


def _child(secret: bytes, chain_code: bytes, index: int) -> tuple[bytes, bytes]:
    """One step of BIP-32 derivation; an invalid child key does not occur in practice."""
    parent = b"\0" + secret if index >= HARDENED else PrivateKey(secret).public
    digest = hmac.digest(chain_code, parent + index.to_bytes(4, "big"), "sha512")
    number = (int.from_bytes(digest[:32], "big") + int.from_bytes(secret, "big")) % CURVE_ORDER
    return number.to_bytes(32, "big"), digest[32:]
