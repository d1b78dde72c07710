"""Transactions: encoding, signing (SIGN_MODE_DIRECT), hashing, decoding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_secp256k1_pb2 import PubKey
from reconciler.chain.proto.cosmos_signing_pb2 import SIGN_MODE_DIRECT
from reconciler.chain.proto.cosmos_tx_pb2 import AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw
from reconciler.chain.stubs import class_of
from reconciler.values.money import DENOM

NO_SIGNATURE = bytes(64)
"""Placeholder in a simulated transaction: the node does not check it, and it cannot be executed."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The signing account: chain, account number and next sequence."""

    chain_id: str
    number: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Gas limit, fee in uve, and the last height at which a transaction can be executed."""

    gas_limit: int
    fee: int
    timeout_height: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """The bytes to broadcast, and their hash in upper-case hex."""

    raw: bytes
    hash: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded transaction; a message of an unknown type stays an Any."""

    messages: tuple[Message, ...]
    terms: Terms
    sequence: int
    public: bytes


def pack_any(message: Message) -> Any:
    """The message with its type URL, as in `/virtengine.market.v1beta5.MsgCreateBid`; an Any as it is."""
    if isinstance(message, Any):
        return message
    wrapper = Any()
    wrapper.Pack(message, type_url_prefix="/")
    return wrapper


def sign_tx(messages: Iterable[Message], signer: Signer, terms: Terms, key: PrivateKey) -> Signed:
    """The transaction, signed; the same input gives the same bytes (RFC 6979)."""
    body, auth = _body(messages, terms), _auth_info(key.public, signer.sequence, terms)
    signature = key.sign(sign_doc(body, auth, signer))
    return _raw(body, auth, signature)


def draft_tx(messages: Iterable[Message], signer: Signer, terms: Terms, public: bytes) -> bytes:
    """The transaction with a placeholder signature of the same size, for simulation."""
    return _raw(_body(messages, terms), _auth_info(public, signer.sequence, terms), NO_SIGNATURE).raw


def sign_doc(body: bytes, auth_info: bytes, signer: Signer) -> bytes:
    """The bytes to sign (semantics 1.2)."""
    document = SignDoc(
        body_bytes=body, auth_info_bytes=auth_info, chain_id=signer.chain_id, account_number=signer.number
    )
    return document.SerializeToString(deterministic=True)


def hash_of(raw: bytes) -> str:
    """The transaction's hash: upper-case hex of sha256."""
    return hashlib.sha256(raw).hexdigest().upper()


def decode_tx(raw: bytes) -> Decoded:
    """Decode a transaction; ValueError for other bytes."""
    try:
        tx = TxRaw.FromString(raw)
        body, auth = TxBody.FromString(tx.body_bytes), AuthInfo.FromString(tx.auth_info_bytes)
        messages = tuple(unpack_any(wrapper) for wrapper in body.messages)
    except DecodeError as error:
        raise ValueError(f"these {len(raw)} bytes are not a transaction: {error}") from error
    signer = auth.signer_infos[0] if auth.signer_infos else SignerInfo()
    fee = sum(int(coin.amount) for coin in auth.fee.amount if coin.denom == DENOM)
    terms = Terms(auth.fee.gas_limit, fee, body.timeout_height, body.memo)
    public = PubKey()
    signer.public_key.Unpack(public)
    return Decoded(messages, terms, signer.sequence, public.key)


def unpack_any(wrapper: Any) -> Message:
    """The message in an Any, or the Any itself if its type is unknown."""
    kind = class_of(wrapper.type_url)
    return wrapper if kind is None else kind.FromString(wrapper.value)


def _body(messages: Iterable[Message], terms: Terms) -> bytes:
    body = TxBody(
        messages=[pack_any(message) for message in messages],
        memo=terms.memo,
        timeout_height=terms.timeout_height,
    )
    return body.SerializeToString(deterministic=True)


def _auth_info(public: bytes, sequence: int, terms: Terms) -> bytes:
    signer = SignerInfo(
        public_key=pack_any(PubKey(key=public)),
        mode_info=ModeInfo(single=ModeInfo.Single(mode=SIGN_MODE_DIRECT)),
        sequence=sequence,
    )
    coins = [Coin(denom=DENOM, amount=str(terms.fee))] if terms.fee else []
    info = AuthInfo(signer_infos=[signer], fee=Fee(amount=coins, gas_limit=terms.gas_limit))
    return info.SerializeToString(deterministic=True)


def _raw(body: bytes, auth_info: bytes, signature: bytes) -> Signed:
    tx = TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature])
    raw = tx.SerializeToString(deterministic=True)
    return Signed(raw, hash_of(raw))
