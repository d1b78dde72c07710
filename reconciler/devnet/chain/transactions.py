"""Decoding of transactions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from google.protobuf.message import DecodeError

from reconciler.chain.proto.cosmos_secp256k1_pb2 import PubKey
from reconciler.chain.proto.cosmos_tx_pb2 import AuthInfo, SignDoc, SignerInfo, TxBody, TxRaw
from reconciler.devnet.chain.errors import TxRefusedError, sdk
from reconciler.devnet.chain.message_fields import malformed_number
from reconciler.devnet.chain.routes import Routed, resolve

_PUBLIC_KEY = "/cosmos.crypto.secp256k1.PubKey"


def tx_hash(data: bytes) -> str:
    """The hash of a transaction: upper-case hex of the sha256 of its bytes (semantics 1.2)."""
    return hashlib.sha256(data).hexdigest().upper()


@dataclass(frozen=True)
class Transaction:
    """A decoded transaction."""

    data: bytes
    raw: TxRaw
    body: TxBody
    auth: AuthInfo
    messages: tuple[Routed, ...]

    @cached_property
    def hash(self) -> str:
        """The transaction's hash."""
        return tx_hash(self.data)

    @property
    def gas_limit(self) -> int:
        """The gas limit."""
        return self.auth.fee.gas_limit

    @property
    def signers(self) -> list[str]:
        """The accounts that must sign, each once, in the order of the messages; then the fee payer."""
        payer = self.auth.fee.payer
        return list(dict.fromkeys([*(m.signer for m in self.messages), *([payer] if payer else [])]))

    @property
    def payer(self) -> str:
        """The fee payer, by default the first signer."""
        return self.auth.fee.payer or self.signers[0]

    def sign_doc(self, chain_id: str, account_number: int) -> bytes:
        """The bytes to sign in SIGN_MODE_DIRECT (semantics 1.2)."""
        return SignDoc(
            body_bytes=self.raw.body_bytes,
            auth_info_bytes=self.raw.auth_info_bytes,
            chain_id=chain_id,
            account_number=account_number,
        ).SerializeToString()


def decode(data: bytes) -> Transaction:
    """Decode a transaction; `sdk/2` if the bytes are none."""
    try:
        raw = TxRaw.FromString(data)
        body, auth = TxBody.FromString(raw.body_bytes), AuthInfo.FromString(raw.auth_info_bytes)
    except DecodeError as error:
        raise _not_a_transaction(data) from error
    if not raw.body_bytes:
        raise _not_a_transaction(data)
    wrong = malformed_number(auth)
    if wrong is not None:
        raise sdk(2, f"{wrong}: tx parse error: tx parse error")
    try:
        for info in auth.signer_infos:
            public_key(info)
    except DecodeError as error:
        raise sdk(2, f"{error}: tx parse error: tx parse error") from error
    messages = tuple(resolve(packed) for packed in body.messages)
    return Transaction(data, raw, body, auth, messages)


def public_key(info: SignerInfo) -> bytes:
    """The signer's public key, empty where it is missing."""
    if info.public_key.type_url != _PUBLIC_KEY:
        return b""
    return PubKey.FromString(info.public_key.value).key


def _not_a_transaction(data: bytes) -> TxRefusedError:
    """The node's error, which names the wire type of the first unexpected field."""
    wire_type = data[0] & 7 if data else 2
    words = f"expected 2 wire type, got {wire_type}" if wire_type != 2 else "unexpected EOF"
    return sdk(2, f"{words}: tx parse error: tx parse error")
