"""Pays out what exceeds an operating float: on a schedule, within limits, each time once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.planning.witness_doubts import doubt
from reconciler.values.limits import PayoutRules
from reconciler.values.memory import Memory, Payout, WalletLedger
from reconciler.values.messages import PayOut
from reconciler.values.observed import Market, Transfer
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import PROVIDER
from reconciler.values.times import DAY_SECONDS, utc_text

FEE_PERCENT_MAX = 2
"""The most that the fee of a payout may be, in percent of its amount."""


def plan_payout(basis: MarketBasis) -> Proposals:
    """The payout that is due, or why it is not made."""
    rules, market = basis.limits.payout, basis.market
    if rules is None:
        return Proposals()
    fee = Fees.under(market.rules, basis.limits, basis.memory).of((PayOut(rules.address, 0),))
    excess = market.wallet.balance - rules.operating_float - fee
    if excess < rules.amount_min or market.time < _scheduled_at(basis.memory, rules):
        return Proposals()
    left = rules.day_max - paid_within_a_day(basis.memory, market.time)
    message = PayOut(rules.address, min(excess, rules.amount_max, left))
    to_confirm = frozenset({PROVIDER} if market.witness else ())
    if hold := _hold(basis, rules, message, fee) or _doubt_hold(basis, rules.operating_float + fee, message):
        return Proposals(holds=(hold,), to_confirm=to_confirm)
    return Proposals((message,), to_confirm=to_confirm)


def _doubt_hold(basis: MarketBasis, kept: int, message: PayOut) -> Hold | None:
    def remains(seen: MarketBasis) -> bool:
        return seen.market.wallet.balance - message.amount >= kept

    if why := doubt(basis, PROVIDER, remains):
        why = f"the balance from which {message.amount}uve are due is shown by one node only: {why}"
        return Hold(PROVIDER, Reason.UNCONFIRMED_BY_WITNESS, why)
    return None


def _hold(basis: MarketBasis, rules: PayoutRules, message: PayOut, fee: int) -> Hold | None:
    left = rules.day_max - paid_within_a_day(basis.memory, basis.market.time)
    if rules.address == basis.market.wallet.address:
        why = "payout.address of the host file is the provider's own account; name another one"
        return Hold(PROVIDER, Reason.REFUSED_BEFORE, why)
    if basis.market.time < (known_at := _history_known_at(basis.memory, rules)):
        why = (
            "the journal is new or did not match the account, so earlier payouts may not be known; none is "
            f"made before {utc_text(known_at)}"
        )
        return Hold(PROVIDER, Reason.JOURNAL_NEW, why)
    if fee * 100 > message.amount * FEE_PERCENT_MAX and left >= rules.amount_min:
        why = (
            f"its fee of {fee}uve is more than {FEE_PERCENT_MAX} % of the {message.amount}uve that are due; "
            "it is made once more is due, or the gas price has fallen"
        )
        return Hold(PROVIDER, Reason.NOT_WORTH_ITS_FEE, why)
    if left < rules.amount_min:
        why = f"{max(left, 0)}uve are left of the host file's payout.day_max ({rules.day_max}uve)"
        return Hold(PROVIDER, Reason.CEILING, why)
    return retry_hold(basis.memory, message, PROVIDER, basis.now)


def next_payout_at(memory: Memory, rules: PayoutRules) -> int:
    """The chain time from which a payout may be made (unix seconds; 0: now)."""
    return max(_scheduled_at(memory, rules), _history_known_at(memory, rules))


def paid_within_a_day(memory: Memory, now: int) -> int:
    """The sum of the payouts of the last 24 hours, in uve."""
    return sum(each.amount for each in memory.payouts if each.at > now - DAY_SECONDS)


def _scheduled_at(memory: Memory, rules: PayoutRules) -> int:
    return memory.payouts[-1].at + rules.every_seconds if memory.payouts else 0


def _history_known_at(memory: Memory, rules: PayoutRules) -> int:
    """When payouts that the journal does not know are so long ago that neither schedule nor limits count
    them.
    """
    began_at = memory.history_began_at
    return began_at + max(rules.every_seconds, DAY_SECONDS) if began_at else 0


def with_payout(memory: Memory, payout: Payout) -> Memory:
    """The memory with a payout, once for each transaction; without those that neither schedule nor limits
    count, unless the transfers of a gap may still show them.
    """
    if payout.tx in {each.tx for each in memory.payouts}:
        return memory
    ledger = memory.ledger or WalletLedger()
    recent = (each for each in memory.payouts if ledger.gaps or each.at > payout.at - DAY_SECONDS)
    return replace(
        memory,
        payouts=tuple(sorted((*recent, payout), key=lambda each: each.at)),
        ledger=replace(ledger, paid_out=ledger.paid_out + payout.amount),
    )


def with_seen_payouts(memory: Memory, market: Market, rules: PayoutRules | None) -> Memory:
    """The memory with the transfers to the payout address that its blocks show, also of transactions that
    this journal does not know.
    """
    if rules is None:
        return memory
    new = [t for t in market.transfers or () if t.height > memory.height]
    found = [*new, *(t for transfers in market.gap_transfers.values() for t in transfers)]
    for tx, amount in _sums_by_transaction(found, market.wallet.address, rules.address).items():
        memory = with_payout(memory, Payout(tx, market.time, amount))
    return memory


def _sums_by_transaction(transfers: Iterable[Transfer], sender: str, recipient: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in transfers:
        if (each.sender, each.recipient) == (sender, recipient):
            sums[each.tx] = sums.get(each.tx, 0) + each.amount
    return sums
