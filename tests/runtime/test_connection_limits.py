"""Limits per client, the reserve of local programs, and which connection is closed for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.runtime.connection_limits import (
    GRACE_SECONDS,
    ConnectionLimits,
    ConnectionTable,
    OpenConnection,
    client_of,
    is_local,
)

LOCAL = "127.0.0.1"


def table(*clients: str) -> ConnectionTable:
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
        ("::ffff:127.0.0.1", LOCAL),
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
        ("aabb", LOCAL, True),
        ("aab", "c", True),
    ],
)
def test_the_limit_of_a_client_and_the_reserve(clients: str, client: str, free: bool) -> None:
    assert table(*clients).has_room(client) is free


def test_local_clients_may_use_the_total_and_no_more() -> None:
    assert table(*[LOCAL] * 5).has_room(LOCAL)
    assert not table(*[LOCAL] * 6).has_room(LOCAL)
    assert not table(*[LOCAL] * 6).has_room("a")


@pytest.mark.parametrize(
    ("clients", "client", "idle_since"),
    [
        ("aab", "a", 0),  # its own
        ("aabb", "c", 0),
        ("abb", "b", 1),
        ("abab", "c", 0),
    ],
)
def test_the_longest_idle_connection_of_the_client_with_the_most_is_closed(
    clients: str, client: str, idle_since: float
) -> None:
    found = table(*clients).to_close(client, 100)
    assert found is not None
    assert found.idle_since == idle_since


def test_nothing_is_closed_within_the_grace_or_during_a_request() -> None:
    connections = table("a", "a")
    assert connections.to_close("a", GRACE_SECONDS / 2) is None
    for each in connections.open:
        each.requests = 1
    assert connections.to_close("a", 100) is None


def test_remote_clients_never_close_local_connections_of_the_reserve() -> None:
    connections = table("a", "a", "b", "b", LOCAL)
    for each in connections.open:
        each.requests = int(each.client != LOCAL)
    assert connections.to_close("c", 100) is None


@given(st.lists(st.tuples(st.sampled_from([LOCAL, *"abcdefgh"]), st.booleans()), max_size=200))
def test_the_limits_hold_for_any_clients(coming: list[tuple[str, bool]]) -> None:
    limits = ConnectionLimits(12, 4, 3)
    connections = ConnectionTable(limits)
    for now, (client, asks) in enumerate(coming):
        if not connections.has_room(client) and (idle := connections.to_close(client, now)) is not None:
            del connections.open[idle]
        if connections.has_room(client):
            connections.open[OpenConnection(client, now, int(asks))] = None
        counts = [each.client for each in connections.open]
        assert len(counts) <= limits.total
        assert all(counts.count(each) <= limits.per_client for each in counts if not is_local(each))
        assert sum(not is_local(each) for each in counts) <= limits.total - limits.reserved
