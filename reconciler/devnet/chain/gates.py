"""The identity and second-factor gates of the ante chain (semantics 1.5)."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.proto.deployment_v1beta4_pb2 import MsgCreateDeployment
from reconciler.chain.proto.market_v1beta5_pb2 import MsgWithdrawLease
from reconciler.chain.proto.provider_v1beta4_pb2 import MsgCreateProvider
from reconciler.devnet.chain.addresses import raw
from reconciler.devnet.chain.errors import TxRefusedError, sdk
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.routes import Routed
from reconciler.devnet.chain.store import Branch
from reconciler.devnet.chain.tables import SCORES

REGISTRATION, WITHDRAWAL = "provider_registration", "medium_withdrawal"
LARGE_SEND, HIGH_VALUE_ORDER = "large_withdrawal", "high_value_order"

ALL_FACTORS = frozenset({REGISTRATION, WITHDRAWAL, LARGE_SEND, HIGH_VALUE_ORDER})
"""Every gate that the default genesis enables; no message can carry the proof that they require."""

_IDENTITY_GAS = 10_340
_LOOK_GAS = 3_833
_SEND_THRESHOLD = 10_000
_DEPOSIT_THRESHOLD = 1_000
_FACTORS = {
    WITHDRAWAL: "fido2 or totp",
    LARGE_SEND: "veid+fido2",
    HIGH_VALUE_ORDER: "veid+fido2",
    REGISTRATION: "veid+fido2",
}


@dataclass(frozen=True, slots=True)
class _Identity:
    score: int
    tier: str
    words: str


_IDENTITY = {
    REGISTRATION: _Identity(70, "standard", "Provider registration requires multi-factor verification"),
    WITHDRAWAL: _Identity(50, "basic", "Medium withdrawal (1,000-10,000 VE) requires single strong factor"),
}
_TIERS = ((85, "premium"), (70, "standard"), (50, "basic"), (0, "unverified"))


def check(state: Branch, gates: Gates, message: Routed) -> None:
    """Refuse a message that a gate blocks: identity first, then the second factor."""
    if gates.second_factor and isinstance(message.message, MsgSend):
        state.meter.charge(_LOOK_GAS, "ReadPerByte")
    kind = sensitive_kind(message)
    if kind in _IDENTITY:
        state.meter.charge(_IDENTITY_GAS, "ReadPerByte")
    if kind is None:
        return
    if gates.identity and kind in _IDENTITY:
        _check_identity(state.peek(SCORES, raw(message.signer)) or 0, _IDENTITY[kind])
    if kind in gates.second_factor:
        raise TxRefusedError(
            "mfa",
            1214,
            f"MFA required for {kind}. Required factors: {_FACTORS[kind]}: MFA verification required",
        )


def sensitive_kind(message: Routed) -> str | None:
    """The kind of sensitive transaction that a message is, or None."""
    match message.message:
        case MsgCreateProvider():
            return REGISTRATION
        case MsgWithdrawLease():
            return WITHDRAWAL
        case MsgSend() as send if any(int(coin.amount) >= _SEND_THRESHOLD for coin in send.amount):
            return LARGE_SEND
        case MsgCreateDeployment() as new if int(new.deposit.amount.amount or 0) >= _DEPOSIT_THRESHOLD:
            return HIGH_VALUE_ORDER
    return None


def _check_identity(score: int, wanted: _Identity) -> None:
    tier = next(name for least, name in _TIERS if score >= least)
    if score < wanted.score:
        raise sdk(4, f"VEID tier {tier} below required {wanted.tier} for {wanted.words}: unauthorized")
