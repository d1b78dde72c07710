"""Bounds of the host file that its owner may let one revision pass, and for how long such a word stands.

Three may be approved, as they are about how much at once, and a person can judge the one case:
`price_change_percent`, `removals_per_revision`, and `spend_per_hour` (as much again, within the hour that
follows the approval). The others never: `price_min`, `price_max` and `balance_reserve` are absolute, signers
and `allow_rewrite` say whom to believe at all, and the ceilings of a cycle or an hour pass by waiting. Who
wants those otherwise changes the host file, which the owner alone can, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.planning.situation import Situation
from reconciler.values.approvals import Approval, Breach
from reconciler.values.bounds import PRICES
from reconciler.values.desired import Desired, Pricing, Revisions
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.money import DENOM, show_rate
from reconciler.values.observed import Market
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Unseen

PRICE_CHANGE, REMOVALS, SPENDING = "price_change_percent", "removals_per_revision", "spend_per_hour"
SPENDING_SECONDS = 3_600
"""How long an approval of more spending stands; that of a revision ends with its being applied."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A bound passed, and how it is told while nobody has approved it."""

    breach: Breach
    holds: tuple[Hold, ...]


def excesses(revisions: Revisions, limits: Limits, memory: Memory) -> Iterator[Excess]:
    """The bounds that the newest revision passes, measured against the one last applied."""
    if revisions.applied is None:
        return
    new, old = revisions.newest.desired, revisions.applied.desired
    if new.pricing is not None and old.pricing is not None and limits.price_change_percent is not None:
        breach = Breach(
            new.commit,
            PRICE_CHANGE,
            str(limits.price_change_percent),
            tuple(_jumps(new.pricing, old.pricing, limits.price_change_percent)),
        )
        if breach.objects:
            yield Excess(breach, tuple(_jump_hold(breach, each) for each in breach.objects))
    lost = dict(_losses(new, old))
    served = sum(1 for subject in lost if _is_served(memory, subject))
    if served > limits.removals_per_revision:
        objects = tuple(f"{what} {subject}" for subject, what in sorted(lost.items()))
        breach = Breach(new.commit, REMOVALS, str(limits.removals_per_revision), objects)
        yield Excess(breach, (_removal_hold(breach, served),))


def spending(revision: str, limits: Limits, address: str) -> Breach:
    """Spending from this account above the hour's bound, while this revision is in force."""
    objects = (f"account {address} spends as much again within an hour",)
    return Breach(revision, SPENDING, f"{limits.spend_per_hour}{DENOM}", objects)


def heard(memory: Memory, fresh: tuple[Approval, ...]) -> Mapping[str, Approval]:
    """The approvals of old with those given since, by their digests; the later word on one counts."""
    if not fresh:
        return memory.approvals
    return {**memory.approvals, **{each.breach.digest: each for each in fresh}}


def standing(
    situation: Situation, asked: tuple[Breach, ...], desired: Desired, market: Market | None
) -> Mapping[str, Approval]:
    """The approvals that still fit; whatever they were about has changed for the others, or is done.

    One that has lapsed does not come back with the state that it was given for.
    """
    wanted = {breach.digest for breach in asked}
    if market is not None:
        wanted.add(spending(desired.commit, situation.limits, market.wallet.address).digest)
    kept: dict[str, Approval] = {}
    for digest, each in situation.memory.approvals.items():
        blind = market is None if each.breach.limit == SPENDING else isinstance(situation.desired, Unseen)
        recent = each.breach.limit != SPENDING or abs(situation.now - each.at) < SPENDING_SECONDS
        if recent and (blind or digest in wanted):
            kept[digest] = each
    return situation.memory.approvals if len(kept) == len(situation.memory.approvals) else kept


def _jumps(new: Pricing, old: Pricing, percent: int) -> Iterator[str]:
    """Prices that move too far, the margin on them counted in."""
    margin = new.profit_margin != old.profit_margin
    for name in PRICES:
        before, after = _charged(old, name), _charged(new, name)
        if before > 0 and abs(after - before) * 100 > before * percent:
            shown = (before, after) if margin else (getattr(old, name), getattr(new, name))
            word = f"{name} with its margin" if margin else name
            yield f"{word} goes from {show_rate(shown[0])} to {show_rate(shown[1])}"


def _charged(pricing: Pricing, name: str) -> Decimal:
    price: Decimal = getattr(pricing, name)
    return price * (1 + pricing.profit_margin)


def _jump_hold(breach: Breach, jump: str) -> Hold:
    why = f"{jump}, more than the {breach.bound} % that the host file allows at once; {_way_out(breach)}"
    return Hold("pricing.yaml", Reason.PRICE_JUMP, why, ours=True, approval=breach.digest)


def _losses(new: Desired, old: Desired) -> Iterator[tuple[WorkloadId, str]]:
    """Workloads whose file is deleted, paused or closing now, and was not in the revision before."""
    for subject, before in old.workloads.items():
        after = new.workloads.get(subject)
        if after is None:
            yield subject, "deletes"
        elif after.close is not None and before.close is None:
            yield subject, "closes"
        elif after.paused and not before.paused:
            yield subject, "pauses"


def _is_served(memory: Memory, subject: WorkloadId) -> bool:
    """Its lease still runs: clearing away the files of ended leases is no removal. It decides whether a
    revision waits, never what is approved, so that a tenant who leaves voids no approval.
    """
    known = memory.workloads.get(subject)
    return known is not None and not known.closed_first


def _removal_hold(breach: Breach, served: int) -> Hold:
    why = (
        f"commit {breach.revision[:12]} takes away {served} workloads of active leases ({breach.named}), "
        f"more than the {breach.bound} that the host file's {REMOVALS} allows at once; {_way_out(breach)}"
    )
    return Hold("repository", Reason.MASS_REMOVAL, why, ours=True, approval=breach.digest)


def _way_out(breach: Breach) -> str:
    return f"revert the commit, or let this one pass: `{breach.command}` on the host"
