"""Specifications for hosts, and the engine options that follow from them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from reconciler.adapters.ansible.host_spec import (
    NAME_MAX,
    apply_request,
    apply_task,
    container_name,
    host_spec_of,
    network_name,
    remove_task,
)
from reconciler.adapters.ansible.plays.module_utils.provider_container import HostBindings, create_options
from reconciler.values.desired import Env, Port, Service, Workload
from reconciler.values.hosts import ContainerEngine, Isolation
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.images import CAPABILITIES
from tests.adapters.ansible.makers import WANTED, host_spec, hosts
from tests.contracts.adapter_backends import service, workload


def hashes(wanted: Workload) -> dict[str, str]:
    return {each["name"]: each["spec_hash"] for each in host_spec(wanted)["containers"]}


def test_a_higher_count_keeps_existing_containers() -> None:
    before = hashes(workload(1, service(), service("db")))
    after = hashes(workload(1, service(count=3), service("db")))
    assert {name: after[name] for name in before} == before
    assert len(after) == 4


@pytest.mark.parametrize(
    "changed",
    [
        service(image="registry.example/web:2"),
        service(env=(Env("A", "b"),)),
        service(args=("x",)),
        service(ports=(Port(80, public=True),)),
        replace(service(), resources=replace(service().resources, cpu_milli=200)),
    ],
)
def test_a_changed_service_changes_the_hash(changed: Service) -> None:
    assert hashes(workload(1, changed)) != hashes(workload(1))


def test_a_new_service_changes_every_hash_because_containers_get_all_addresses() -> None:
    name = f"web-{WANTED.id}-0"
    assert hashes(workload(1, service()))[name] != hashes(workload(1, service(), service("db")))[name]


def test_pausing_changes_no_hash() -> None:
    assert hashes(workload(1, paused=True)) == hashes(workload(1))
    assert host_spec(workload(1, paused=True))["paused"] is True


def test_only_the_first_container_publishes_ports() -> None:
    ports = (Port(80, 8080, public=True), Port(53, protocol="UDP", public=True), Port(9))
    spec = host_spec(workload(1, service(count=2, ports=ports)))
    first, second = spec["containers"]
    assert first["publish"] == [["0.0.0.0", 8080, 80, "tcp"], ["0.0.0.0", 53, 53, "udp"]]
    assert second["publish"] == []
    assert spec["ports"] == [53, 8080]


def test_secrets_are_references_and_the_request_names_them() -> None:
    wanted = workload(1, service(env=(Env("A", "plain"), Env("P", secret="db/password"))))
    tasks = [apply_task(host_spec(wanted)), remove_task(WANTED.id)]
    request = apply_request(tasks, ContainerEngine.PODMAN, hosts())
    [container] = request["tasks"][0]["spec"]["containers"]
    assert (container["env"], container["secrets"]) == ([["A", "plain"]], [["P", "db/password"]])
    assert request["secret_names"] == ["db/password"]
    assert "secret_names" not in apply_request([remove_task(WANTED.id)], ContainerEngine.PODMAN, hosts())


def test_isolation_settings_reach_the_container() -> None:
    settings = hosts(isolation=Isolation(read_only_images=("registry.example/*",), pids_limit=99))
    [container] = host_spec_of(WANTED, "d", settings)["containers"]
    assert (container["read_only"], container["pids_limit"]) == (True, 99)
    assert host_spec()["containers"][0]["read_only"] is False


def test_the_number_of_gpus_of_the_host_changes_only_containers_that_use_gpus() -> None:
    gpu = replace(service(), resources=replace(service().resources, gpu=1))
    spec = host_spec_of(workload(1, gpu, service("db")), "d", hosts(), host_gpus=4)
    assert [each["host_gpus"] for each in spec["containers"]] == [4, 0]


def test_a_specification_is_plain_data() -> None:
    odd = workload(1, service(env=(Env("ansible_host", "{{ 7*7 }}"),), args=("$(id)", "a\nb", '"')))
    decoded = json.loads(json.dumps(host_spec(odd)))
    assert decoded == host_spec(odd)
    assert decoded["containers"][0]["env"] == [["ansible_host", "{{ 7*7 }}"]]


@pytest.mark.parametrize("is_podman", [True, False])
def test_a_container_keeps_the_listed_capabilities_and_gains_no_privileges(is_podman: bool) -> None:
    spec = host_spec(workload(1, service()))
    [container] = spec["containers"]

    words = create_options(spec, container, HostBindings(is_podman, {container["name"]: "10.89.0.10"}))

    assert words.count("--cap-drop=ALL") == 1
    assert [w for w in words if w.startswith("--cap-add=")] == [f"--cap-add={each}" for each in CAPABILITIES]
    assert "--security-opt=no-new-privileges" in words
    assert not [word for word in words if "privileged" in word]


def test_container_names_differ_by_tenant_service_and_index() -> None:
    one, two = workload(1).id, workload(2).id
    names = {container_name(w, s, n) for w in (one, two) for s in ("web", "db") for n in (0, 1)}
    assert len(names) == 8
    assert container_name(one, "web", 0) == f"web-{one}-0"
    assert network_name(one) == f"lease-{one}"


def test_long_container_names_are_cut_and_stay_different() -> None:
    subject = workload(1_000_001).id
    names = {container_name(subject, "s" * 60 + end, 12) for end in "ab"}
    assert len(names) == 2
    assert all(len(name) <= NAME_MAX and name.endswith(f"-{subject}-12") for name in names)


def test_the_longest_workload_id_leaves_a_valid_container_name() -> None:
    longest = workload_id(LeaseId(OrderId("ve1tenant", 2**64 - 1, 2**32 - 1, 2**32 - 1), "ve1us"))
    names = {container_name(longest, service, 49) for service in ("web", "database", "s" * 60)}
    assert len(names) == 3
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
        assert len(name) <= NAME_MAX
        assert name.endswith(f"{longest}-49")
