"""The fee budget of a day: messages beyond it are held, except those that cannot wait without a loss."""

from __future__ import annotations

from reconciler.planning.fee_ceilings import exceeds_budget
from reconciler.planning.money.day_totals import day_fees
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.transactions import hold_subject
from reconciler.values.messages import CreateBid, Message, PayOut
from reconciler.values.plans import Hold, Reason


def within_fee_budget(basis: MarketBasis, messages: tuple[Message, ...]) -> Proposals:
    """The messages whose expected fees, as if each were sent alone, fit in the budget, bids and payouts
    last, and those that may exceed it.
    """
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    left = basis.limits.fees_per_day - day_fees(basis.memory.ledger, basis.market.time)
    holds: dict[Message, Hold] = {}
    for message in sorted(messages, key=lambda each: (isinstance(each, PayOut), isinstance(each, CreateBid))):
        fee = fees.of((message,))
        if fee <= left:
            left -= fee
        elif not exceeds_budget(basis, message):
            why = (
                f"its fee is about {fee}uve; {max(left, 0)}uve are left of the host file's fees_per_day "
                f"({basis.limits.fees_per_day}uve); it waits until fees are a day old, or raise fees_per_day"
            )
            holds[message] = Hold(hold_subject(message), Reason.CEILING, why)
    return Proposals(tuple(each for each in messages if each not in holds), tuple(holds.values()))
