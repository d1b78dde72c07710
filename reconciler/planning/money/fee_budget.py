"""The fee budget of a day: messages beyond it are held, except those that stop a loss."""

from __future__ import annotations

from reconciler.planning.fee_ceilings import stops_a_loss
from reconciler.planning.money.day_totals import day_fees
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.transactions import hold_subject
from reconciler.values.messages import Message
from reconciler.values.plans import Hold, Reason


def within_fee_budget(basis: MarketBasis, messages: tuple[Message, ...]) -> Proposals:
    """The messages whose expected fees, as if each were sent alone, fit in the budget in their order, and
    those that stop a loss.
    """
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    left = basis.limits.fees_per_day - day_fees(basis.memory.ledger, basis.market.time)
    payable: list[Message] = []
    holds: list[Hold] = []
    for message in messages:
        fee = fees.of((message,))
        if fee <= left:
            left -= fee
        elif not stops_a_loss(basis, message):
            why = (
                f"its fee is about {fee}uve; {max(left, 0)}uve are left of the host file's fees_per_day "
                f"({basis.limits.fees_per_day}uve)"
            )
            holds.append(Hold(hold_subject(message), Reason.CEILING, why))
            continue
        payable.append(message)
    return Proposals(tuple(payable), tuple(holds))
