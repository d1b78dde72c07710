"""What may be approved, what one approval releases, and when it lapses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.approvals import SPENDING_SECONDS, current_approvals
from reconciler.values.approvals import Approval, Breach
from reconciler.values.desired import CloseReason, Desired, Revision, Revisions, Workload
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, WalletLedger, WorkloadMemory
from reconciler.values.messages import CreateBid
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.readings import Seen, Unseen
from reconciler.values.revision_verdict import VerdictKind
from tests.makers import HEIGHT, NOW, PRICING, desired, market, order, planning_input, remembered, workload
from tests.planning.properties import many_worlds, messages, seen_market

FILES = tuple(workload(n) for n in range(1, 6))
CHEAP = replace(PRICING, cpu_millicores=Decimal("0.5"))
LIMITS = Limits(price_change_percent=20, removals_per_revision=2, promised_per_tenant_percent=100)
TWO_BIDS = 1_030_000
"""What two bids lock and cost, and a third does not fit in."""


def asked(*changed: Workload, **changes: Any) -> Desired:
    """A commit of these files."""
    return replace(desired(*changed), **changes)


def serving(*files: Workload, **changes: Any) -> Memory:
    """The memory of active leases with these files."""
    known = {w.id: WorkloadMemory(w.lease, "kubernetes", Phase.RUNNING) for w in files}
    return remembered(applied="a" * 40, workloads=known, **changes)


def world(newest: Desired, **changes: Any) -> PlanningInput:
    """A revision beside the one before, which had all five files."""
    before = replace(desired(*FILES), commit="a" * 40)
    seen = Revisions(Revision(newest, "Olga", "A change"), Revision(before))
    given_so = {"memory": serving(*FILES), "limits": LIMITS} | changes
    return planning_input(market(orders=[order(n) for n in (7, 8, 9)]), Seen(seen), **given_so)


def cheaper(**changes: Any) -> PlanningInput:
    """Prices halve."""
    return world(asked(*FILES, pricing=CHEAP), **changes)


def emptied(**changes: Any) -> PlanningInput:
    """One file is deleted, one paused, one asked to close."""
    paused, closing = replace(FILES[1], paused=True), replace(FILES[2], close=CloseReason.UNSTABLE)
    return world(asked(paused, closing, *FILES[3:]), **changes)


def spent(**changes: Any) -> PlanningInput:
    """Three orders, and an allowance for two bids."""
    return world(asked(*FILES), limits=replace(LIMITS, spend_per_hour=TWO_BIDS), **changes)


CASES = (cheaper, emptied, spent)
REASONS = {cheaper: Reason.PRICE_JUMP, emptied: Reason.MASS_REMOVAL, spent: Reason.CEILING}


def approvable(made: Plan) -> list[Hold]:
    return [h for h in made.holds if h.approval]


def approved(of: PlanningInput, *digests: str, at: int = NOW) -> PlanningInput:
    """The same world, once its owner has approved what waits (or these of it)."""
    waiting = plan(of).memory.approvable
    words = tuple(Approval(b, "olga", at) for d, b in waiting.items() if not digests or d in digests)
    return replace(of, approvals=words)


def later(of: PlanningInput, **changes: Any) -> PlanningInput:
    """The next cycle, of the memory that this one leaves."""
    return replace(of, memory=plan(of).memory, approvals=(), **changes)


def known(of: PlanningInput) -> PlanningInput:
    """The same world, where what waits was approved in an earlier cycle, and is not in force yet."""
    words = {each.breach.digest: each for each in approved(of).approvals}
    return replace(of, memory=replace(of.memory, approvals=words), approvals=())


@pytest.mark.parametrize("case", CASES)
def test_an_exceeded_limit_is_held_under_the_digest_in_its_message(case: Any) -> None:
    made = plan(case())
    [breach] = made.memory.approvable.values()
    assert {h.reason for h in approvable(made)} == {REASONS[case]}
    for hold in approvable(made):
        assert hold.approval == breach.digest
        assert f"`provider-daemon approve {breach.digest[:16]}`" in hold.message


@pytest.mark.parametrize("case", CASES)
def test_an_approval_releases_it_and_is_remembered_while_it_is_about_something(case: Any) -> None:
    world = approved(case())
    made = plan(world)
    assert not approvable(made)
    assert made.memory.approvable == {}
    assert set(made.memory.approvals) == set(plan(case()).memory.approvable)
    assert plan(known(case())).memory == made.memory, "a cycle that died is planned again"
    after = plan(later(world))
    assert (after.revision, after.holds) == (made.revision, made.holds)
    assert set(after.memory.approvals) == (set(made.memory.approvals) if case is spent else set())


def test_what_was_approved_is_applied_and_the_approval_is_spent() -> None:
    for case in (cheaper, emptied):
        done = plan(approved(case()))
        assert done.revision == "c" * 40
        assert done.revision_verdict is not None
        assert done.revision_verdict.verdict is VerdictKind.APPLIED
        assert done.revision_verdict.why.endswith("approved by olga")
        seen = case().desired
        assert isinstance(seen, Seen)
        after = replace(case(), memory=done.memory, desired=Seen(Revisions(seen.view.newest)))
        assert plan(after).memory.approvals == {}


def test_two_bounds_are_two_approvals() -> None:
    both = world(asked(*FILES[3:], pricing=CHEAP))
    jump, removal = sorted(plan(both).memory.approvable.values(), key=lambda b: b.limit)
    assert (jump.limit, removal.limit) == ("price_change_percent", "removals_per_revision")
    half = plan(approved(both, jump.digest))
    assert {h.reason for h in approvable(half)} == {Reason.MASS_REMOVAL}
    assert half.revision == "a" * 40
    assert plan(approved(both)).revision == "c" * 40


def test_an_approved_price_is_no_leave_to_spend() -> None:
    tight = replace(LIMITS, spend_per_hour=TWO_BIDS)
    both = world(asked(*FILES, pricing=CHEAP), limits=tight)
    jump = next(b for b in plan(both).memory.approvable.values() if b.limit != "spend_per_hour")
    made = plan(approved(both, jump.digest))
    assert made.revision == "c" * 40
    assert bids(made) == 2
    assert {h.reason for h in approvable(made)} == {Reason.CEILING}


BREACHES = st.builds(
    Breach,
    st.sampled_from(["a" * 40, "c" * 40]),
    st.sampled_from(["price_change_percent", "removals_per_revision", "spend_per_hour"]),
    st.sampled_from(["1", "2", "10"]),
    st.lists(st.sampled_from(["x", "y", 'x", "y', "x, y", ""]), unique=True, max_size=3).map(tuple),
)


JOINED = Breach("c" * 40, "price_change_percent", "2", ("x, y",))


@example(JOINED, replace(JOINED, objects=("x", "y")))
@many_worlds
@given(BREACHES, BREACHES)
def test_any_change_of_limit_bound_or_objects_is_another_digest(one: Breach, other: Breach) -> None:
    same = (one.limit, one.value, sorted(one.objects)) == (other.limit, other.value, sorted(other.objects))
    assert (one.digest == other.digest) == same


def another_commit(of: PlanningInput) -> PlanningInput:
    assert isinstance(of.desired, Seen)
    newest, applied = of.desired.view.newest, of.desired.view.applied
    other = replace(newest, desired=replace(newest.desired, commit="d" * 40))
    return replace(of, desired=Seen(Revisions(other, applied)))


def another_bound(of: PlanningInput) -> PlanningInput:
    limits = replace(
        of.limits,
        price_change_percent=21,
        removals_per_revision=1,
        spend_per_hour=of.limits.spend_per_hour + 1,
    )
    return replace(of, limits=limits)


def other_objects(of: PlanningInput) -> PlanningInput:
    """Another price, another file, and another account that spends."""
    assert isinstance(of.desired, Seen)
    newest, applied = of.desired.view.newest, of.desired.view.applied
    kept = {k: w for k, w in newest.desired.workloads.items() if k != FILES[4].id}
    pricing = newest.desired.pricing
    assert pricing is not None
    moved = PRICING if pricing == PRICING else replace(pricing, gpu=Decimal(3_000))
    lost = kept if len(newest.desired.workloads) < len(FILES) else newest.desired.workloads
    other = replace(newest, desired=replace(newest.desired, workloads=lost, pricing=moved))
    wallet = replace(seen_market(of).wallet, address="ve1other")
    seen = replace(seen_market(of), wallet=wallet)
    return replace(of, desired=Seen(Revisions(other, applied)), market=Seen(seen))


@pytest.mark.parametrize("case", CASES)
def test_an_approval_holds_for_another_commit_that_does_the_same(case: Any) -> None:
    made = plan(another_commit(known(case())))
    assert made.revision == "d" * 40
    assert not approvable(made)
    unapproved = plan(another_commit(case())).memory.approvable
    assert set(unapproved) == set(plan(case()).memory.approvable)


@pytest.mark.parametrize("change", [another_bound, other_objects])
@pytest.mark.parametrize("case", CASES)
def test_an_approval_lapses_when_limit_or_objects_change(case: Any, change: Any) -> None:
    made = plan(change(known(case())))
    assert made.memory.approvals == {}
    assert {h.reason for h in approvable(made)} == {REASONS[case]}


@pytest.mark.parametrize("case", CASES)
def test_one_that_has_lapsed_does_not_come_back_with_the_state_it_was_given_for(case: Any) -> None:
    before = known(case())
    back = later(another_bound(before), limits=before.limits)
    assert {h.reason for h in approvable(plan(back))} == {REASONS[case]}


@many_worlds
@given(
    st.sampled_from(CASES),
    st.integers(1, 500),
    st.lists(st.integers(20, 60), unique=True, max_size=8),
    st.sets(st.sampled_from(range(5)), max_size=2),
)
def test_neither_height_nor_other_orders_nor_ended_leases_change_it(
    case: Any, blocks: int, orders: list[int], gone: set[int]
) -> None:
    careful = replace(case(), limits=replace(case().limits, removals_per_revision=0))
    base = approved(careful)
    seen = seen_market(base)
    wilder = replace(
        seen,
        height=HEIGHT + blocks,
        orders={**seen.orders, **{o.id: o for o in map(order, orders)}},
    )
    ended = {FILES[n].id for n in gone} if case is emptied else set()
    leases = {
        k: replace(w, closed_first=HEIGHT if k in ended else 0) for k, w in base.memory.workloads.items()
    }
    memory = replace(base.memory, workloads=leases)
    reversed_mapping = replace(base, market=Seen(wilder), memory=memory)
    before, after = (
        plan(careful).memory.approvable,
        plan(replace(reversed_mapping, approvals=())).memory.approvable,
    )
    assert after == before, "the same digest"
    made = plan(reversed_mapping)
    assert not [h for h in approvable(made) if h.approval in before]
    assert case is spent or made.revision == "c" * 40


@many_worlds
@given(st.lists(BREACHES, max_size=4))
def test_an_approval_of_something_else_releases_nothing_and_is_forgotten(others: list[Breach]) -> None:
    for case in CASES:
        plain = plan(case())
        words = tuple(Approval(b, "mallory", NOW) for b in others)
        made = plan(replace(case(), approvals=words))
        assert made.holds == plain.holds
        assert made.actions == plain.actions
        assert made.memory == plain.memory


def test_what_is_absolute_has_no_digest() -> None:
    low = Limits(price_min={"gpu": Decimal(2_000)}, price_max={"cpu_millicores": Decimal("0.1")})
    for limits in (low, Limits(require_signature=True)):
        made = plan(cheaper(limits=limits))
        assert made.revision == "a" * 40
        assert not approvable(made)
        assert made.revision_verdict is not None
        assert made.revision_verdict.verdict is VerdictKind.REFUSED


def test_an_approved_jump_does_not_pass_what_is_absolute() -> None:
    strict = replace(LIMITS, price_min={"cpu_millicores": Decimal("0.6")})
    made = plan(approved(cheaper(limits=strict)))
    assert made.revision == "a" * 40
    assert {h.reason for h in made.holds if h.subject.name == "pricing.yaml"} == {Reason.PRICE_OUT_OF_BOUNDS}


def test_a_margin_moves_prices_too() -> None:
    made = plan(world(asked(*FILES, pricing=replace(PRICING, profit_margin=Decimal("0.5")))))
    [hold, *_] = approvable(made)
    assert hold.message.startswith("cpu_millicores with its margin goes from 1.15uve to 1.5uve, more than")


def test_clearing_away_the_files_of_ended_leases_is_no_removal() -> None:
    assert plan(world(asked(), memory=remembered(applied="a" * 40))).revision == "c" * 40
    few = serving(*FILES[:2])
    assert plan(world(asked(), memory=few)).revision == "c" * 40
    assert plan(world(asked(), memory=serving(*FILES[:3]))).revision == "a" * 40


def test_what_was_paused_or_closing_before_is_not_taken_away_again() -> None:
    paused = [replace(w, paused=True) for w in FILES]
    before = Revision(replace(desired(*paused), commit="a" * 40))
    seen = Revisions(Revision(asked(*paused)), before)
    assert plan(replace(world(asked()), desired=Seen(seen))).revision == "c" * 40


def bids(made: Plan) -> int:
    return sum(isinstance(m, CreateBid) for m in messages(made))


def test_an_approved_hour_has_twice_its_allowance_and_no_more() -> None:
    assert bids(plan(spent())) == 2
    assert bids(plan(approved(spent()))) == 3
    ledger = WalletLedger(started_with=10_000_000, spent=((NOW - 5, TWO_BIDS), (NOW - 4, TWO_BIDS - 1)))
    used_up = approved(spent(memory=serving(*FILES, ledger=ledger)))
    made = plan(used_up)
    assert bids(made) == 0
    assert not approvable(made), "twice is the most that can be approved at once"
    assert next(h.message for h in made.holds if h.reason is Reason.CEILING).endswith("the approved amount")


def test_an_approval_to_spend_ends_with_its_hour_and_can_be_given_again() -> None:
    first = approved(spent())
    late = later(first, now=NOW + SPENDING_SECONDS)
    assert bids(plan(replace(late, now=NOW + 50, market=first.market))) == 3
    assert plan(late).memory.approvals == {}
    again = approved(late, at=NOW + SPENDING_SECONDS)
    assert len(plan(again).memory.approvals) == 1


@pytest.mark.parametrize("case", CASES)
def test_an_unavailable_repository_ends_no_approval(case: Any) -> None:
    base = approved(case())
    blind = later(base, market=Unseen("x"), desired=Unseen("x"))
    assert plan(blind).memory.approvals == plan(base).memory.approvals


def test_nothing_is_copied_where_nothing_lapses() -> None:
    base = later(approved(cheaper()))
    breaches = tuple(a.breach for a in base.memory.approvals.values())
    assert current_approvals(base, base.memory, breaches, desired()) is base.memory.approvals
