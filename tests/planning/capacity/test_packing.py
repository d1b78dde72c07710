"""Packing, against an exhaustive search on small cases."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.capacity.packing import FreeMachine, eligible, fit
from reconciler.values.resources import Resources, total
from tests.planning.packers import fits_exhaustively
from tests.planning.properties import many_worlds

AMOUNTS = st.integers(0, 6)
VECTORS = st.builds(Resources, AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 2))


def test_two_units_of_2000m_do_not_fit_nodes_with_3000m_and_1000m() -> None:
    nodes = [Resources(3000), Resources(1000)]
    assert fit(nodes, [Resources(2000)] * 2) is None
    assert fit(nodes, [Resources(1000), Resources(3000)]) == (1, 0)


def test_the_largest_piece_is_placed_first() -> None:
    assert fit([Resources(3), Resources(2)], [Resources(1), Resources(2), Resources(2)]) is not None


def test_a_machine_that_is_overcommitted_takes_only_what_needs_nothing_of_it() -> None:
    full = [Resources(-5, 10)]
    assert fit(full, [Resources(1)]) is None
    assert fit(full, [Resources(0, 10)]) == (0,)
    assert fit([], []) == ()
    assert fit([], [Resources()]) is None


def test_attributes_select_machines_by_the_keys_that_machines_declare() -> None:
    eu, us = (
        FreeMachine("a", Resources(), (("region", "eu"),)),
        FreeMachine("b", Resources(), (("region", "us"),)),
    )
    assert eligible([eu, us], [("region", "us"), ("tier", "gold")]) == [us]
    assert eligible([eu, us], []) == [eu, us]
    assert eligible([eu], [("region", "us")]) == []


@many_worlds
@given(st.lists(VECTORS, max_size=4), st.lists(VECTORS, max_size=5))
def test_what_fits_really_fits_and_no_more_than_an_exhaustive_search_finds(
    free: list[Resources], pieces: list[Resources]
) -> None:
    found = fit(free, pieces)
    if found is not None:
        for at, there in enumerate(free):
            taken = [piece for piece, place in zip(pieces, found, strict=True) if place == at]
            assert there.covers(total(taken))
        assert fits_exhaustively(free, pieces)
    elif len(pieces) <= 1:
        assert not fits_exhaustively(free, pieces), "one piece is placed whenever it fits anywhere"


def test_first_fit_decreasing_misses_few_of_the_groups_that_fit() -> None:
    """Of random groups that an exhaustive search places, less than 3 in 100 are refused."""
    share = refused_share(random.Random(13), 2_000)
    assert share < 0.03, share


def refused_share(rng: random.Random, feasible: int) -> float:
    """The share of feasible random groups, on unequal machines, that first-fit decreasing refuses."""
    seen = refused = 0
    while seen < feasible:
        free = [_machine(rng) for _ in range(rng.randint(2, 4))]
        kinds = [_unit(rng) for _ in range(rng.randint(1, 3))]
        pieces = [kind for kind in kinds for _ in range(rng.randint(1, 3))][:7]
        if not fits_exhaustively(free, pieces):
            continue
        seen += 1
        refused += fit(free, pieces) is None
    return refused / seen


def _machine(rng: random.Random) -> Resources:
    return Resources(rng.randrange(500, 8_001, 250), rng.randrange(1, 33) << 30, rng.randrange(10, 101) << 30)


def _unit(rng: random.Random) -> Resources:
    cpu, memory = rng.choice([250, 500, 1_000, 2_000, 4_000]), rng.choice([1, 2, 4, 8, 16])
    return Resources(cpu, memory << 29, rng.choice([1, 5, 20]) << 30)
