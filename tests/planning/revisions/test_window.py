"""Bounds hold over a window, however many commits: prices, and what is done to workloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.revisions.window import SPANS
from reconciler.values.bounds import price_ranges
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Bidding, BidStrategy, Config, Desired, Multiplier, Rounding, Workload
from reconciler.values.gpus import GpuModel
from reconciler.values.grants import Grants, KubernetesGrants
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.plans import Reason
from reconciler.values.readings import Unseen
from tests.makers import PRICING, workload
from tests.planning.properties import few_worlds
from tests.planning.pushes import Branch, files

DAY = 86_400
HALF = Limits(price_change_percent=50)
FILES = tuple(workload(n) for n in range(1, 7))
TWO = Limits(removals_per_revision=2)


def at(price: str | Decimal, margin: str = "0") -> Desired:
    pricing = replace(PRICING, cpu_millicores=Decimal(price), profit_margin=Decimal(margin))
    return files(pricing=pricing)


def price_of(found: Desired) -> Decimal:
    return price_ranges(found)["cpu_millicores"].high


def test_many_small_pushes_lead_no_further_than_one() -> None:
    branch = Branch.of(at("1.1"), HALF)
    price = Decimal("1.1")
    for _ in range(21):
        price *= Decimal("0.51")
        branch.push(at(price))
    assert price_of(branch.in_force) == Decimal("0.561")
    [hold] = [h for h in branch.push(at("0.5")).holds if h.reason is Reason.PRICE_JUMP]
    assert "cpu_millicores goes from 0.561uve to 0.5uve, more than the 50 % that the host file allows" in (
        hold.message
    )
    assert "within 1d, in which it was 1.1uve with its margin" in hold.message


def test_going_back_is_allowed_and_a_detour_gains_nothing() -> None:
    branch = Branch.of(at("1"), HALF)
    assert branch.passes(at("0.5"))
    assert branch.passes(at("1")), "which is twice 0.5"
    assert branch.passes(at("0.6"))
    assert not branch.passes(at("1.4")), "2.8 times what was in force within the window"
    assert branch.passes(at("0.75"))


def test_the_window_moves_on() -> None:
    branch = Branch.of(at("1"), HALF)
    assert branch.passes(at("1.5"))
    assert not branch.passes(at("2.25"))
    assert not branch.passes(at("2.25"), after=DAY - 3)
    assert branch.passes(at("2.25"), after=DAY)


def test_a_margin_moves_a_price_over_many_commits_too() -> None:
    branch = Branch.of(at("1", "0"), HALF)
    assert branch.passes(at("1", "0.4"))
    assert not branch.passes(at("1", "0.9"))
    assert not branch.passes(at("1.3", "0.4"))


def test_prices_that_go_missing_stay_the_reference() -> None:
    branch = Branch.of(at("1"), HALF)
    assert branch.passes(files(pricing=None))
    assert branch.passes(files(pricing=None), after=3 * DAY)
    assert not branch.passes(at("9"))


def test_an_approved_price_widens_the_window_and_its_revert_needs_no_other() -> None:
    branch = Branch.of(at("1"), HALF)
    assert branch.passes(at("3"), approve=True)
    assert branch.passes(at("1"))
    assert branch.passes(at("2"))
    assert not branch.passes(at("3.1"))


def test_memory_stays_small_however_many_commits() -> None:
    branch = Branch.of(at("1"), HALF)
    for number in range(600):
        assert branch.passes(at(Decimal(1) + Decimal(number % 400) / 1000), after=600)
    assert max(len(spans) for spans in branch.memory.prices.values()) <= SPANS + 2


def test_a_window_of_nothing_looks_at_what_is_in_force_alone() -> None:
    branch = Branch.of(at("1"), replace(HALF, window_seconds=0))
    assert all(branch.passes(at(Decimal(1) / 2**number)) for number in range(1, 5))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["0.2", "0.5", "0.7", "0.9", "1", "1.1", "1.4", "1.5", "2", "back"]),
        st.sampled_from([1, 600, DAY // 24, DAY // 3, DAY - 1, DAY, 2 * DAY]),
    ),
    max_size=14,
)


def in_force(branch: Branch) -> Iterator[tuple[int, int, Decimal]]:
    """Each price with since when and until when it was in force."""
    for number, (since, found) in enumerate(branch.history):
        ends = branch.history[number + 1][0] if number + 1 < len(branch.history) else branch.now
        yield since, ends, price_of(found)


@few_worlds
@given(STEPS, st.sampled_from([10, 50, 90]))
def test_no_pushes_move_a_price_beyond_the_bound_within_any_window(
    steps: list[tuple[str, int]], percent: int
) -> None:
    branch = Branch.of(at("1"), Limits(price_change_percent=percent))
    for step, after in steps:
        earlier = price_of(branch.history[-2 if len(branch.history) > 1 else -1][1])
        branch.push(at(earlier if step == "back" else price_of(branch.in_force) * Decimal(step)), after)
    spans = list(in_force(branch))
    for _, until, before in spans:
        for since, _, after_price in spans:
            if 0 <= since - until < DAY:
                assert abs(after_price - before) * 100 <= max(before, after_price) * percent


@pytest.mark.parametrize("together", [1, 2])
def test_removals_split_over_commits_count_together(together: int) -> None:
    branch = Branch.of(files(*FILES), TWO)
    left = list(FILES)
    while branch.passes(files(*left[together:])):
        left = left[together:]
    assert len(left) == len(FILES) - 2
    plan = branch.push(files(*left[1:]))
    [hold] = [h for h in plan.holds if h.reason is Reason.MASS_REMOVAL]
    assert "stops, moves or replaces 1 workloads of active leases" in hold.message
    assert "after 2 others within 1d" in hold.message
    assert branch.passes(files(*left[1:]), after=DAY)


def test_one_that_is_undone_counts_once_and_a_harmless_commit_passes() -> None:
    branch = Branch.of(files(*FILES), TWO)
    for _ in range(4):
        assert branch.passes(files(*FILES[1:]))
        assert branch.passes(files(*FILES))
    assert branch.passes(files(*FILES[:1], *FILES[2:]))
    assert branch.passes(files(*FILES, workload(9)))
    assert not branch.passes(files(*FILES[:5])), "the third"


def imaged(*images: str) -> Desired:
    pairs = zip(FILES, images, strict=False)
    changed = [replace(w, services=workload(1, image=image).services) for w, image in pairs]
    return files(*changed, *FILES[len(images) :])


def test_what_the_owner_approved_does_not_count_and_may_be_taken_back() -> None:
    branch = Branch.of(files(*FILES), TWO)
    assert not branch.passes(imaged(*["v2"] * 6))
    assert branch.passes(imaged(*["v2"] * 6), approve=True)
    assert branch.passes(imaged(*["v2"] * 5, "v3")), "one of two"
    assert branch.passes(imaged(*["web"] * 5, "v3")), "five go back to what ran before"
    assert not branch.passes(imaged(*["evil"] * 5, "v3")), "an approval of another image is none of this"
    assert not branch.passes(files(FILES[5])), "nor of a removal"


def test_what_is_done_to_workloads_whose_lease_has_ended_is_not_counted() -> None:
    branch = Branch.of(files(*FILES), TWO)
    ended = {k: replace(w, closed_first=7) for k, w in branch.memory.workloads.items()}
    branch.memory = replace(branch.memory, workloads=ended)
    assert branch.passes(files())


def test_a_lost_journal_counts_every_workload_and_measures_prices_from_what_was_in_force() -> None:
    for wanted in (files(), at("0.1")):
        branch = Branch.of(files(*FILES), replace(TWO, price_change_percent=50))
        branch.memory, branch.chain = Memory(), Unseen("no node answers yet")
        assert not branch.passes(wanted)
        assert branch.memory.applied == branch.in_force.commit
        assert not branch.passes(wanted), "the chain was still not seen"


def test_a_revision_in_force_that_is_gone_is_measured_by_what_is_remembered() -> None:
    """With `allow_rewrite` history may be another: the bounds hold all the same."""
    branch = Branch.of(at("1"), HALF)
    assert branch.passes(at("1.2"))
    known = branch.memory.prices
    branch.in_force = replace(branch.in_force, pricing=None)
    assert not branch.passes(at("9"))
    assert branch.memory.prices == known


STATES = st.sampled_from(["web", "v2", "v3", "paused", "gone", "evil"])
REVISIONS = st.tuples(
    st.lists(STATES, min_size=4, max_size=4),
    st.sampled_from(["", "", "", "deny", "disable", "namespace"]),
    st.sampled_from([1, DAY // 3, DAY - 1, DAY]),
)


GRANTS = Grants({"kubernetes": KubernetesGrants(("tenants", "other"))})


def revision(states: list[str], whole: str) -> Desired:
    made = []
    for file, state in zip(FILES, states, strict=False):
        image = state if state in ("web", "v2", "v3", "evil") else "web"
        changed = replace(file, services=workload(1, image=image).services, paused=state == "paused")
        made += [] if state == "gone" else [changed]
    config = Config(images_denied=("*evil*",) if whole == "deny" else ())
    settings = KubernetesSettings(whole != "disable", "other" if whole == "namespace" else "tenants")
    return files(*made, config=config, adapters={"kubernetes": settings})


def runs(found: Desired, of: Workload) -> object:
    """What runs for a workload, by a model of its own."""
    file = found.workloads.get(of.id)
    cluster = found.adapters["kubernetes"]
    assert found.config is not None
    if file is None or file.paused or not cluster.enabled:
        return None
    [service] = file.services
    return None if found.config.images_denied and service.image == "evil" else (service, cluster)


@few_worlds
@given(st.lists(REVISIONS, max_size=10), st.integers(0, 3))
def test_no_pushes_disrupt_more_workloads_than_the_bound_within_any_window(
    pushes: list[tuple[list[str], str, int]], most: int
) -> None:
    branch = Branch.of(revision(["web"] * 4, ""), Limits(removals_per_revision=most, grants=GRANTS))
    for states, whole, after in pushes:
        branch.push(revision(states, whole), after)
    hit = [
        (since, of.id)
        for (_, before), (since, now) in zip(branch.history, branch.history[1:], strict=False)
        for of in FILES[:4]
        if runs(before, of) is not None and runs(now, of) != runs(before, of)
    ]
    for start, _ in hit:
        assert len({subject for at_, subject in hit if start <= at_ < start + DAY}) <= most


def priced(**changes: Any) -> Desired:
    return files(pricing=replace(PRICING, **changes))


SXM = GpuModel("nvidia", "", "80Gi", "sxm")
A100, B200 = GpuModel("nvidia", "a100"), GpuModel("nvidia", "a100", "80Gi")
DISCOUNT = (Multiplier(Decimal("0.75"), "ve1" + "q" * 38),)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (
            priced(),
            priced(gpu_models=((A100, Decimal(100)),)),
            "gpu_models.nvidia/a100 with its margin goes from 1150uve to 115uve",
        ),
        (
            priced(gpu_models=((A100, Decimal(5000)),)),
            priced(),
            "gpu_models.nvidia/a100 with its margin goes from 5750uve to 1150uve",
        ),
        (
            priced(gpu_models=((A100, Decimal(5000)),)),
            priced(gpu_models=((A100, Decimal(5000)), (B200, Decimal(1000)))),
            "gpu_models.nvidia/a100/80Gi with its margin goes from 5750uve to 1150uve",
        ),
        (
            priced(storage_classes=(("beta3", Decimal(1)),)),
            priced(storage_classes=(("beta3", Decimal("0.4")),)),
            "storage_classes.beta3 goes from 1uve to 0.4uve",
        ),
        (priced(minimum=Decimal(100)), priced(minimum=Decimal(1)), "minimum goes from 100uve to 1uve"),
        (priced(), priced(minimum=Decimal(1)), "minimum goes from 0uve to 1uve"),
        (priced(), priced(leased_ip=Decimal("0.1")), "leased_ip goes from 0uve to 0.1uve"),
        (priced(), priced(rounding_step=999), "rounding goes from 1uve to 999uve"),
        (priced(rounding_step=999), priced(), "rounding goes from 999uve to 1uve"),
        (priced(), priced(rounding=Rounding.NONE), "rounding goes from 1uve to 0uve"),
        (
            priced(gpu_models=((A100, Decimal(8000)),)),
            priced(gpu_models=((A100, Decimal(8000)), (SXM, Decimal(1000)))),
            "gpu_models.nvidia/a100/80Gi/sxm with its margin goes from 9200uve to 1150uve",
        ),
        (
            priced(gpu_models=((A100, Decimal(8000)), (SXM, Decimal(1000)))),
            priced(gpu_models=((A100, Decimal(8000)),)),
            "gpu_models.nvidia/a100/80Gi/sxm with its margin goes from 1150uve to 9200uve",
        ),
        (priced(endpoint=Decimal(9)), priced(), "endpoint goes from 9uve to 0uve"),
        (
            priced(profit_margin=Decimal(1)),
            priced(profit_margin=Decimal("0.2"), multipliers=DISCOUNT),
            "cpu_millicores with its margin and multipliers goes from 2uve to 0.9uve",
        ),
        (
            priced(profit_margin=Decimal(3)),
            files(
                pricing=replace(PRICING, profit_margin=Decimal(3)),
                config=Config(bidding=Bidding(strategy=BidStrategy.UNDERCUT)),
            ),
            "cpu_millicores with its margin goes from 4uve to 1uve by the strategy undercut",
        ),
    ],
)
def test_no_table_multiplier_or_strategy_evades_the_bound(before: Desired, after: Desired, why: str) -> None:
    branch = Branch.of(before, HALF)
    held = [hold.message for hold in branch.push(after).holds if hold.reason is Reason.PRICE_JUMP]
    assert any(message.startswith(why) for message in held), held
    assert branch.in_force.pricing == before.pricing


def test_an_entry_that_is_removed_and_added_again_keeps_its_history() -> None:
    branch = Branch.of(priced(gpu_models=((A100, Decimal(1600)),)), HALF)
    assert branch.passes(priced())
    assert not branch.passes(priced(gpu_models=((A100, Decimal(700)),))), "less than half of 1600 of today"
    assert branch.passes(priced(gpu_models=((A100, Decimal(1600)),)))
