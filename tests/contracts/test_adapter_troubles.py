"""What the Adapter port promises when things go wrong: trouble is told, drift repaired, refusals said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.values.desired import Env, Port
from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done, Refused
from reconciler.values.resources import MB, Resources
from tests.contracts.adapter_worlds import EXPOSED, GIVEN, World, lease, service, workload


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        ("registry.example/missing:1", "ImagePullFailed", "cannot be pulled"),
        ("registry.example/crash:1", "CrashLoop", "exits with 1"),
    ],
)
def test_trouble_says_why(world: World, image: str, reason: str, message: str) -> None:
    wanted = workload(108 + len(reason) + len(image), service(image=image))
    world.adapter.apply(wanted, "d")

    found = world.until(wanted.id, lambda r: r.trouble, reason)

    assert found.trouble is not None
    assert found.trouble.reason == reason
    assert message in found.trouble.message
    assert found.trouble.advice
    assert not found.ready
    world.adapter.remove(wanted.id)


def test_a_repaired_image_ends_the_trouble(world: World) -> None:
    world.adapter.apply(workload(150, service(image="registry.example/missing:1", count=2)), "bad")
    subject = workload_id(lease(150))
    world.until(subject, lambda r: r.trouble, "trouble")

    world.adapter.apply(workload(150, service(count=2)), "good")

    assert world.until(subject, lambda r: r.ready, "ready").trouble is None


def test_a_pod_beyond_the_quota_is_trouble(world: World) -> None:
    wanted = workload(151, replace(service(), resources=Resources(GIVEN.cpu_milli * 2, 64 * MB, 0)))
    world.adapter.apply(wanted, "d")

    trouble = world.until(wanted.id, lambda r: r.trouble, "trouble").trouble

    assert trouble is not None
    assert trouble.reason == "QuotaExceeded"
    assert "requests.cpu" in trouble.message
    world.adapter.remove(wanted.id)


def test_a_pod_that_fits_no_node_is_trouble(world: World) -> None:
    world.adapter.prepare(replace(GIVEN, storage_bytes=900 << 40))
    wanted = workload(152, replace(service(), resources=Resources(100, 64 * MB, 800 << 40)))
    world.adapter.apply(wanted, "d")

    trouble = world.until(wanted.id, lambda r: r.trouble, "trouble").trouble

    assert trouble is not None
    assert trouble.reason == "Unschedulable"
    assert "ephemeral-storage" in trouble.message
    world.adapter.remove(wanted.id)
    world.adapter.prepare(GIVEN)


@pytest.mark.parametrize(
    ("dseq", "vandalism"),
    [
        (160, ("scale", "deployment/web-{id}", "--replicas=3")),
        (161, ("set", "image", "deployment/web-{id}", "web=registry.example/evil:1")),
        (162, ("delete", "service", "web-{id}")),
        (163, ("set", "env", "deployment/web-{id}", "MODE=b")),
        (
            164,
            (
                "patch",
                "service",
                "web-{id}",
                "-p",
                '{{"spec":{{"selector":{{"virtengine.com/service":"x"}}}}}}',
            ),
        ),
    ],
)
def test_what_somebody_changed_is_noticed_and_repaired(
    world: World, dseq: int, vandalism: tuple[str, ...]
) -> None:
    wanted = workload(dseq, service(ports=EXPOSED, env=(Env("MODE", "a"),)))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready and not r.drifted, "ready")

    world.kubectl(*(word.format(id=wanted.id) for word in vandalism))

    world.until(wanted.id, lambda r: r.drifted, "drift")
    assert world.adapter.apply(wanted, "d") == Done()
    world.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")


def test_an_object_of_that_name_that_is_not_ours_is_left_alone(world: World) -> None:
    wanted = workload(172, service(ports=EXPOSED))
    name = f"web-{wanted.id}"
    taken = f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{type: NodePort, ports: [{{port: 9}}]}}
"""
    world.kubectl("apply", "-f", "-", stdin=taken)

    outcome = world.adapter.apply(wanted, "d")

    assert isinstance(outcome, Refused)
    assert outcome.reason == "NameTaken"
    assert [port["port"] for port in world.get("svc", name)["spec"]["ports"]] == [9]


def test_what_the_cluster_can_never_take_is_refused(world: World) -> None:
    outcome = world.adapter.apply(workload(173, service(ports=(Port(80, exposed_as=70_000),))), "d")

    assert isinstance(outcome, Refused)
    assert outcome.reason == "Invalid"
    assert "65535" in outcome.why


def test_a_forgotten_version_is_listed_again(world: World) -> None:
    if world.forget is None:
        pytest.skip("this cluster has no restart-apiserver beside its kubeconfig")
    wanted = workload(176)
    world.adapter.apply(wanted, "before")
    world.until(wanted.id, lambda r: r.ready, "ready")

    world.forget()

    world.adapter.apply(wanted, "after")
    world.until(wanted.id, lambda r: r.digest == "after" and r.ready, "the change after it")
    world.adapter.remove(wanted.id)
    world.until_gone(wanted.id)
