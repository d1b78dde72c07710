"""Names of containers."""

from __future__ import annotations

import re

from reconciler.adapters.ansible.naming import NAME_MAX, container_name, network_name
from reconciler.values.ids import LeaseId, OrderId, workload_id
from tests.contracts.adapter_worlds import workload


def test_names_tell_tenants_services_and_containers_apart() -> None:
    one, two = workload(1).id, workload(2).id
    names = {container_name(w, s, n) for w in (one, two) for s in ("web", "db") for n in (0, 1)}
    assert len(names) == 8
    assert container_name(one, "web", 0) == f"web-{one}-0"
    assert network_name(one) == f"lease-{one}"


def test_a_long_name_is_cut_and_stays_different() -> None:
    subject = workload(1_000_001).id
    names = {container_name(subject, "s" * 60 + end, 12) for end in "ab"}
    assert len(names) == 2
    assert all(len(name) <= NAME_MAX and name.endswith(f"-{subject}-12") for name in names)


def test_the_longest_id_of_the_chain_leaves_a_name_that_an_engine_takes() -> None:
    longest = workload_id(LeaseId(OrderId("ve1tenant", 2**64 - 1, 2**32 - 1, 2**32 - 1), "ve1us"))
    names = {container_name(longest, service, 49) for service in ("web", "database", "s" * 60)}
    assert len(names) == 3
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
        assert len(name) <= NAME_MAX
        assert name.endswith(f"{longest}-49")
