"""Seats by client: shares, the reserve of this machine, and which connection gives way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.connection_limits import (
    GRACE_SECONDS,
    ConnectionLimits,
    ConnectionTable,
    OpenConnection,
    client_of,
    is_own,
)

OWN = "127.0.0.1"


def plan(*clients: str) -> ConnectionTable:
    """One connection each, idle since their number."""
    return ConnectionTable(
        ConnectionLimits(6, 2, 2),
        {OpenConnection(client, float(n)): None for n, client in enumerate(clients)},
    )


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:0:0:2", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", OWN),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(address: str, client: str) -> None:
    assert client_of(address) == client


@pytest.mark.parametrize(
    ("clients", "client", "free"),
    [
        ("", "a", True),
        ("aa", "a", False),
        ("aa", "b", True),
        ("aabb", "c", False),
        ("aabb", OWN, True),
        ("aab", "c", True),
    ],
)
def test_shares_and_the_reserve(clients: str, client: str, free: bool) -> None:
    assert plan(*clients).is_free(client) is free


def test_this_machine_may_have_all_and_no_more() -> None:
    assert plan(*[OWN] * 5).is_free(OWN)
    assert not plan(*[OWN] * 6).is_free(OWN)
    assert not plan(*[OWN] * 6).is_free("a")


@pytest.mark.parametrize(
    ("clients", "client", "idle_since"),
    [
        ("aab", "a", 0),  # its own
        ("aabb", "c", 0),
        ("abb", "b", 1),
        ("abab", "c", 0),
    ],
)
def test_the_longest_idle_of_the_client_with_most_gives_way(
    clients: str, client: str, idle_since: float
) -> None:
    found = plan(*clients).to_give_up(client, 100)
    assert found is not None
    assert found.idle_since == idle_since


def test_within_the_grace_and_while_a_request_is_answered_nobody_gives_way() -> None:
    made = plan("a", "a")
    assert made.to_give_up("a", GRACE_SECONDS / 2) is None
    for seat in made.taken:
        seat.requests = 1
    assert made.to_give_up("a", 100) is None


def test_strangers_never_push_out_this_machine_while_the_reserve_is_what_they_lack() -> None:
    made = plan("a", "a", "b", "b", OWN)
    for seat in made.taken:
        seat.requests = int(seat.client != OWN)
    assert made.to_give_up("c", 100) is None


@given(st.lists(st.tuples(st.sampled_from([OWN, *"abcdefgh"]), st.booleans()), max_size=200))
def test_whoever_comes_the_bounds_hold(coming: list[tuple[str, bool]]) -> None:
    seats = ConnectionLimits(12, 4, 3)
    made = ConnectionTable(seats)
    for now, (client, asks) in enumerate(coming):
        if not made.is_free(client) and (given_up := made.to_give_up(client, now)) is not None:
            del made.taken[given_up]
        if made.is_free(client):
            made.taken[OpenConnection(client, now, int(asks))] = None
        counts = [seat.client for seat in made.taken]
        assert len(counts) <= seats.in_all
        assert all(counts.count(each) <= seats.of_one_client for each in counts if not is_own(each))
        assert sum(not is_own(each) for each in counts) <= seats.in_all - seats.reserved
