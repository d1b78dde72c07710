"""Selection of the host for a workload."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.ansible.scheduling import HostCandidate, select, unfit_reason, validate_ports
from reconciler.values.desired import Port
from reconciler.values.gpus import GpuModel
from reconciler.values.outcomes import Failed
from reconciler.values.resources import Resources
from tests.adapters.ansible.makers import ROOM, WANTED, hosts
from tests.contracts.adapter_backends import service, workload

SMALL = Resources(50, 16 << 30, 100 << 30)


def test_most_free_resources_win_then_the_name() -> None:
    candidates = [HostCandidate("b", ROOM), HostCandidate("a", ROOM), HostCandidate("c", SMALL)]
    assert select(WANTED, candidates, ()) == "a"
    assert select(WANTED, [*candidates, HostCandidate("z", replace(ROOM, cpu_milli=9_000))], ()) == "z"
    assert select(WANTED, list(reversed(candidates)), ()) == "a"


def test_the_host_that_was_promised_wins_if_the_workload_fits_there() -> None:
    promised = replace(WANTED, machine="b")
    assert (
        select(promised, [HostCandidate("a", ROOM), HostCandidate("b", replace(ROOM, cpu_milli=500))], ())
        == "b"
    )
    assert select(promised, [HostCandidate("a", ROOM), HostCandidate("b", Resources())], ()) == "a"
    assert select(promised, [HostCandidate("a", ROOM)], ()) == "a"


@pytest.mark.parametrize(
    ("short", "word"),
    [
        (replace(ROOM, cpu_milli=99), "cpu"),
        (replace(ROOM, memory_bytes=1), "memory"),
        (replace(ROOM, storage_bytes=1), "storage"),
    ],
)
def test_one_host_must_hold_the_whole_workload(short: Resources, word: str) -> None:
    outcome = select(WANTED, [HostCandidate("a", short)], ())
    assert isinstance(outcome, Failed)
    assert outcome.reason == "Unschedulable"
    assert f"too little {word}" in outcome.why


def test_gpus_count() -> None:
    wanted = workload(1, replace(service(), resources=Resources(1, 1, 1, gpu=2)))
    assert unfit_reason(wanted, HostCandidate("a", replace(ROOM, gpu=1)), ()) == "too little gpu"
    assert unfit_reason(wanted, HostCandidate("a", replace(ROOM, gpu=2)), ()) == ""


def test_only_attributes_that_hosts_declare_decide() -> None:
    wanted = replace(WANTED, attributes=(("region", "eu"), ("tier", "gold")))
    east, west = HostCandidate("a", ROOM, (("region", "eu"),)), HostCandidate("b", ROOM, (("region", "us"),))
    assert select(wanted, [west, east], {"region"}) == "a"
    assert unfit_reason(wanted, west, {"region"}) == "its region is us, not eu"
    assert unfit_reason(wanted, HostCandidate("c", ROOM), {"region"}) == "its region is unset, not eu"


def test_a_port_in_use_by_another_workload_does_not_fit() -> None:
    public = workload(1, service(ports=(Port(80, 8080, public=True),)))
    assert (
        unfit_reason(public, HostCandidate("a", ROOM, ports=frozenset({8080})), ())
        == "port 8080 is in use by another workload"
    )
    inside = workload(1, service(ports=(Port(8080),)))
    assert unfit_reason(inside, HostCandidate("a", ROOM, ports=frozenset({8080})), ()) == ""


def test_invalid_public_ports_are_refused() -> None:
    settings = hosts(ports=(1_024, 2_048))
    low = validate_ports(workload(1, service(ports=(Port(80, public=True),))), settings)
    assert low is not None
    assert "between 1024 and 2048" in low.why
    twice = workload(1, service(ports=(Port(1, 2_000, public=True), Port(2, 2_000, public=True))))
    again = validate_ports(twice, settings)
    assert again is not None
    assert "exposed twice" in again.why
    assert validate_ports(workload(1, service(ports=(Port(80), Port(2_000, public=True)))), settings) is None


def test_a_host_has_the_architecture_and_the_gpus_of_a_service() -> None:
    wanted = workload(1, replace(service(), arch="arm64", gpu_models=(GpuModel("nvidia", "a100"),)))
    hosts = {"none": (), "other": (("arch", "amd64"),), "t4": (("arch", "arm64"), ("gpu", "nvidia/t4"))}
    fit = (("arch", "arm64"), ("gpu", "nvidia/a100/80Gi"))

    assert [unfit_reason(wanted, HostCandidate("a", ROOM, has), ()) for has in (*hosts.values(), fit)] == [
        "its arch is unset, not arm64",
        "its arch is amd64, not arm64",
        "its GPUs are nvidia/t4, not nvidia/a100",
        "",
    ]
