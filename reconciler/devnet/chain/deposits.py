"""The sources of a deposit's coins (semantics 4.7)."""

from __future__ import annotations

from reconciler.chain.proto.base_deposit_v1_pb2 import Deposit, Source
from reconciler.chain.proto.escrow_types_v1_pb2 import Depositor
from reconciler.devnet.chain import bank
from reconciler.devnet.chain.amounts import ONE, dec_coin, valid_denom
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError, plain


def check(deposit: Deposit) -> None:
    """Refuse a malformed deposit."""
    if not valid_denom(deposit.amount.denom):
        raise plain(f"invalid denom: {deposit.amount.denom}")
    if int(deposit.amount.amount or 0) < 0:
        raise plain(f"negative coin amount: {deposit.amount.amount}")
    check_sources(deposit)


def check_sources(deposit: Deposit) -> None:
    """Refuse missing, unknown and repeated sources."""
    if not deposit.sources:
        raise _source("empty deposit sources")
    seen: set[int] = set()
    for source in deposit.sources:
        if source not in (Source.balance, Source.grant):
            raise _source(f"empty deposit source type {int(source)}")
        if source in seen:
            raise _source(f"duplicate deposit source type {int(source)}")
        seen.add(source)


def _source(words: str) -> TxRefusedError:
    return TxRefusedError("virtengine", 4, f"{words}: invalid deposit source")


def authorize(call: MessageCall, signer: str, deposit: Deposit) -> list[Depositor]:
    """The sources' parts of a deposit, in the order given; there are no grants here."""
    given: list[Depositor] = []
    left, denom = int(deposit.amount.amount), deposit.amount.denom
    for source in deposit.sources:
        part = min(bank.spendable(call, signer, denom), left) if source == Source.balance else 0
        if part > 0:
            given.append(
                Depositor(
                    owner=signer,
                    height=call.height,
                    source=Source.balance,
                    balance=dec_coin(denom, part * ONE),
                )
            )
            left -= part
        if not left:
            return given
    if left:
        raise plain("deposit invalid: insufficient balance")
    return given


def shown(deposit: Deposit) -> str:
    """`{499999uve [balance]}`, as Go prints it."""
    sources = " ".join(Source.Name(source) for source in deposit.sources)
    return f"{{{deposit.amount.amount}{deposit.amount.denom} [{sources}]}}"
