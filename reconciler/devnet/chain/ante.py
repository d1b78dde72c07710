"""The ante chain: the checks before a transaction's messages run, in the node's order (semantics 1.5)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from reconciler.chain.proto.cosmos_tx_pb2 import SignerInfo
from reconciler.devnet.chain import accounts, addresses, bank, gates
from reconciler.devnet.chain.amounts import ONE, coins_text, spelled
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError, plain, sdk
from reconciler.devnet.chain.faults import NodeFaults
from reconciler.devnet.chain.gas import SIGNATURE, TX_BYTE
from reconciler.devnet.chain.genesis import DENOM, Genesis
from reconciler.devnet.chain.mempool import RateLimit
from reconciler.devnet.chain.transactions import Transaction, public_key

_MEMO_CHARACTERS = 256
_SIGNATURES = 7
_FIXED_GAS = 24764
_PRICE_GAS = 4483
_FIRST_KEY_GAS = 13295


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a transaction with its signer and signer info."""

    signer: str
    info: SignerInfo
    data: bytes


class Mode(Enum):
    """The purpose of a run of the ante chain."""

    CHECK = "check"
    RECHECK = "recheck"
    BLOCK = "block"
    SIMULATE = "simulate"


@dataclass(slots=True)
class Ante:
    """The ante chain of one chain."""

    genesis: Genesis
    limiter: RateLimit
    faults: NodeFaults

    def run(self, call: MessageCall, tx: Transaction, mode: Mode) -> None:
        """Take the fee and the sequence number, or refuse the transaction."""
        signers = tx.signers
        _check_addresses(signers)
        if mode is not Mode.SIMULATE:
            # a check counts at the last committed height, and so did the block that made it
            self.limiter.count(call.height, signers)
        self._check_form(tx, signers, mode)
        if mode in (Mode.CHECK, Mode.RECHECK):
            self._check_price(tx)
            call.state.meter.charge(_PRICE_GAS, "ReadPerByte")
        self._check_timeout(call, tx)
        if len(tx.body.memo) > _MEMO_CHARACTERS:
            raise sdk(
                12,
                f"maximum number of characters is {_MEMO_CHARACTERS} but received "
                f"{len(tx.body.memo)} characters: memo too large",
            )
        call.state.meter.charge(TX_BYTE * len(tx.data), "txSize")
        call.state.meter.charge(_FIXED_GAS, "ReadFlat")
        self._take_fee(call, tx, tx.payer)
        self._check_signers(call, tx, signers, mode)
        for message in tx.messages:
            gates.check(call.state, self.faults.gates or self.genesis.gates, message)
        for signer in signers:
            accounts.increment_sequence(call.state, signer)
        self._tell(call, tx, signers)

    def _check_form(self, tx: Transaction, signers: list[str], mode: Mode) -> None:
        for message in tx.messages:
            if message.route.unsignable and not self.genesis.registration:
                name = message.message.DESCRIPTOR.full_name
                raise plain(
                    f"no cosmos.msg.v1.signer option found for message {name}; "
                    "use DefineCustomGetSigners to specify a custom getter"
                )
        if not tx.raw.signatures:
            raise sdk(15, "no signatures supplied")
        if len(tx.raw.signatures) != len(signers):
            words = f"wrong number of signers; expected {len(signers)}, got {len(tx.raw.signatures)}"
            raise sdk(4, f"{words}: unauthorized")
        if not tx.gas_limit and mode is not Mode.SIMULATE:
            raise sdk(41, "must provide positive gas: invalid gas limit")

    def _check_price(self, tx: Transaction) -> None:
        """The adaptive price decorator; without load its minimum price is the node's (semantics 1.3)."""
        least = int(self.genesis.minimum_gas_price * ONE) * self.faults.price_factor
        offered = {coin.denom: int(coin.amount or 0) * ONE // tx.gas_limit for coin in tx.auth.fee.amount}
        if offered.get(DENOM, 0) >= least:
            return
        got = ",".join(f"{spelled(price)}{denom}" for denom, price in offered.items() if price)
        raise plain(f"insufficient fee: min gas prices {spelled(least)}{DENOM}, got {got}")

    @staticmethod
    def _check_timeout(call: MessageCall, tx: Transaction) -> None:
        timeout = tx.body.timeout_height
        if timeout and call.height > timeout:
            words = f"block height: {call.height}, timeout height: {timeout}"
            raise sdk(30, f"{words}: tx timeout height")
        if tx.body.HasField("timeout_timestamp") and not tx.body.unordered:
            stamp = tx.body.timeout_timestamp
            if call.time_ns > stamp.seconds * 10**9 + stamp.nanos:
                raise sdk(42, "tx timeout")

    def _take_fee(self, call: MessageCall, tx: Transaction, payer: str) -> None:
        if accounts.find(call.state, payer) is None:
            raise sdk(9, f"fee payer address: {payer} does not exist: unknown address")
        fee = tx.auth.fee.amount
        if any(int(coin.amount or 0) for coin in fee):
            try:
                bank.send_to_module(call, payer, addresses.FEE_COLLECTOR, fee)
            except TxRefusedError as refusal:
                raise sdk(5, f"{refusal.text}: insufficient funds") from refusal
        call.events.emit("tx", ("fee", coins_text(fee)), ("fee_payer", payer))

    def _check_signers(self, call: MessageCall, tx: Transaction, signers: list[str], mode: Mode) -> None:
        for index, (signer, info) in enumerate(zip(signers, tx.auth.signer_infos, strict=False)):
            key = public_key(info)
            if mode is not Mode.SIMULATE and key and addresses.of_public_key(key) != signer:
                words = f"pubKey does not match signer address {signer} with signer index: {index}"
                raise sdk(8, f"{words}: invalid pubkey")
            self._keep_key(call, signer, key)
        if len(signers) > _SIGNATURES:
            raise sdk(
                14, f"signatures: {len(signers)}, limit: {_SIGNATURES}: maximum number of signatures exceeded"
            )
        call.state.meter.charge(SIGNATURE * len(signers), "ante verify: secp256k1")
        if tx.body.unordered:
            raise sdk(37, "unordered transactions are not enabled: feature not supported")
        for given in zip(signers, tx.auth.signer_infos, tx.raw.signatures, strict=False):
            self._check_signature(call, tx, Signature(*given), mode)

    @staticmethod
    def _keep_key(call: MessageCall, signer: str, key: bytes) -> None:
        account = accounts.find(call.state, signer)
        if account is None:
            raise sdk(9, f"account {signer} does not exist: unknown address")
        if key and not accounts.public_key(account):
            call.state.meter.charge(_FIRST_KEY_GAS, "WritePerByte")
            accounts.store_public_key(call.state, account, key)

    def _check_signature(self, call: MessageCall, tx: Transaction, given: Signature, mode: Mode) -> None:
        account = accounts.find(call.state, given.signer)
        assert account is not None
        if account.sequence != given.info.sequence:
            words = f"account sequence mismatch, expected {account.sequence}, got {given.info.sequence}"
            raise sdk(32, f"{words}: incorrect account sequence")
        if mode is Mode.SIMULATE or mode is Mode.RECHECK:
            return
        document = tx.sign_doc(self.genesis.chain_id, account.account_number)
        if not _verifies(accounts.public_key(account), given.data, document):
            raise sdk(
                4,
                "signature verification failed; please verify account number "
                f"({account.account_number}) and chain-id ({self.genesis.chain_id}): "
                "(unable to verify single signer signature): unauthorized",
            )

    @staticmethod
    def _tell(call: MessageCall, tx: Transaction, signers: list[str]) -> None:
        for signer, info in zip(signers, tx.auth.signer_infos, strict=False):
            call.events.emit("tx", ("acc_seq", f"{signer}/{info.sequence}"))
        for signature in tx.raw.signatures:
            call.events.emit("tx", ("signature", base64.b64encode(signature).decode()))


def _check_addresses(signers: list[str]) -> None:
    """Refuse a signer that is no address, for messages that do not check it."""
    for signer in signers:
        try:
            addresses.raw(signer)
        except addresses.AddressError as error:
            raise plain(str(error)) from error


_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def _verifies(key: bytes, signature: bytes, document: bytes) -> bool:
    """Whether a compressed public key signed a document."""
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > _HALF_ORDER:
        return False
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
        public.verify(encode_dss_signature(r, s), document, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
