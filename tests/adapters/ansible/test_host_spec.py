"""What a host is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.adapters.ansible.host_spec import SpecSettings, applying, host_spec_of, removing, work_order
from reconciler.adapters.ansible.plays.module_utils.provider_container import (
    Place,
    collection_arguments,
    create_words,
)
from reconciler.values.capabilities import CAPABILITIES
from reconciler.values.desired import Env, Port, Workload
from reconciler.values.hosts import ContainerEngine, Isolation
from tests.adapters.ansible.makers import WANTED, hosts, order
from tests.contracts.adapter_worlds import service, workload


def marks(wanted: Workload) -> dict[str, str]:
    return {each["name"]: each["spec"] for each in order(wanted)["containers"]}


def test_a_count_that_grows_leaves_the_containers_that_are_there() -> None:
    before, after = (
        marks(workload(1, service(), service("db"))),
        marks(workload(1, service(count=3), service("db"))),
    )
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
def test_what_a_container_is_made_of_changes_its_mark(changed: object) -> None:
    assert marks(workload(1, changed)) != marks(workload(1))  # type: ignore[arg-type]  # services all


def test_another_service_changes_all_as_each_knows_the_others_addresses() -> None:
    assert (
        marks(workload(1, service()))[f"web-{WANTED.id}-0"]
        not in marks(workload(1, service(), service("db"))).values()
    )


def test_pausing_changes_no_container() -> None:
    assert marks(workload(1, paused=True)) == marks(workload(1))
    assert order(workload(1, paused=True))["paused"] is True


def test_only_the_first_container_answers_public_ports() -> None:
    public = service(
        count=2, ports=(Port(80, 8080, public=True), Port(53, protocol="UDP", public=True), Port(9))
    )
    first, second = order(workload(1, public))["containers"]
    assert first["publish"] == [["0.0.0.0", 8080, 80, "tcp"], ["0.0.0.0", 53, 53, "udp"]]
    assert second["publish"] == []
    assert order(workload(1, public))["ports"] == [53, 8080]


def test_secrets_are_references_and_a_run_is_told_which_it_needs() -> None:
    wanted = workload(1, service(env=(Env("A", "plain"), Env("P", secret="db/password"))))
    made = work_order([applying(order(wanted)), removing(WANTED.id)], ContainerEngine.PODMAN, hosts())
    [container] = made["orders"][0]["order"]["containers"]
    assert (container["env"], container["secrets"]) == ([["A", "plain"]], [["P", "db/password"]])
    assert made["wanted_secrets"] == ["db/password"]
    assert "wanted_secrets" not in work_order([removing(WANTED.id)], ContainerEngine.PODMAN, hosts())


def test_images_that_write_nowhere_else_have_a_read_only_root() -> None:
    settings = hosts(isolation=Isolation(read_only_images=("registry.example/*",), processes=99))
    [container] = host_spec_of(WANTED, "d", SpecSettings(settings))["containers"]
    assert (container["read_only"], container["processes"]) == (True, 99)
    assert order()["containers"][0]["read_only"] is False


def test_an_order_is_plain_data() -> None:
    odd = workload(1, service(env=(Env("ansible_host", "{{ 7*7 }}"),), args=("$(id)", "a\nb", '"')))
    made = json.loads(json.dumps(order(odd)))
    assert made == order(odd)
    assert made["containers"][0]["env"] == [["ansible_host", "{{ 7*7 }}"]]


@pytest.mark.parametrize("is_podman", [True, False])
def test_a_container_keeps_the_few_capabilities_and_gains_none(is_podman: bool) -> None:
    made = order(workload(1, service()))
    [wanted] = made["containers"]
    place = Place(is_podman, {wanted["name"]: "10.89.0.10"})

    words = create_words(made, wanted, place)

    assert words.count("--cap-drop=ALL") == 1
    assert [w for w in words if w.startswith("--cap-add=")] == [f"--cap-add={each}" for each in CAPABILITIES]
    assert "--security-opt=no-new-privileges" in words
    assert not [word for word in words if "privileged" in word]
    arguments = collection_arguments(made, wanted, place)
    assert (arguments["cap_drop"], arguments["cap_add"]) == (["ALL"], list(CAPABILITIES))
