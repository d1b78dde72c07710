"""What the Adapter port promises when things go wrong: trouble is told, drift repaired, refusals said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.values.desired import Env, Port
from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done, Refused
from reconciler.values.resources import MB, Resources
from tests.contracts.adapter_worlds import EXPOSED, GIVEN, Machines, lease, service, workload


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        ("registry.example/missing:1", "ImagePullFailed", "cannot be pulled"),
        ("registry.example/crash:1", "CrashLoop", "exits with 1"),
    ],
)
def test_trouble_says_why(world: Machines, image: str, reason: str, message: str) -> None:
    wanted = workload(108 + len(reason) + len(image), service(image=image))

    trouble = world.trouble_of(wanted)

    assert trouble.reason == reason
    assert message in trouble.message
    assert trouble.advice
    world.adapter.remove(wanted.id)


def test_a_repaired_image_ends_the_trouble(world: Machines) -> None:
    world.adapter.apply(workload(150, service(image="registry.example/missing:1", count=2)), "bad")
    subject = workload_id(lease(150))
    world.until(subject, lambda r: r.trouble, "trouble")

    world.adapter.apply(workload(150, service(count=2)), "good")

    assert world.until(subject, lambda r: r.ready, "ready").trouble is None


def test_a_pod_beyond_the_quota_is_trouble(world: Machines) -> None:
    wanted = workload(151, replace(service(), resources=Resources(GIVEN.cpu_milli * 2, 64 * MB, 0)))

    trouble = world.trouble_of(wanted)

    assert trouble.reason == "QuotaExceeded"
    assert "cpu" in trouble.message
    world.adapter.remove(wanted.id)


def test_a_pod_that_fits_no_node_is_trouble(world: Machines) -> None:
    world.adapter.prepare(replace(GIVEN, storage_bytes=900 << 40))
    wanted = workload(152, replace(service(), resources=Resources(100, 64 * MB, 800 << 40)))

    trouble = world.trouble_of(wanted)

    assert trouble.reason == "Unschedulable"
    assert "storage" in trouble.message
    world.adapter.remove(wanted.id)
    world.adapter.prepare(GIVEN)


@pytest.mark.parametrize(
    ("dseq", "kind"), [(160, "more"), (161, "image"), (162, "gone"), (163, "env"), (164, "cut off")]
)
def test_what_somebody_changed_is_noticed_and_repaired(world: Machines, dseq: int, kind: str) -> None:
    wanted = workload(dseq, service(ports=EXPOSED, env=(Env("MODE", "a"),)))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready and not r.drifted, "ready")

    world.damage(kind, wanted.id)

    world.until(wanted.id, lambda r: r.drifted, "drift")
    assert world.adapter.apply(wanted, "d") == Done()
    world.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")


def test_an_object_of_that_name_that_is_not_ours_is_left_alone(world: Machines) -> None:
    wanted = workload(172, service(ports=EXPOSED))
    mark = world.take_name(wanted.id)

    assert world.trouble_of(wanted).reason == "NameTaken"

    assert world.taken_mark(wanted.id) == mark
    world.adapter.remove(wanted.id)


def test_what_the_cluster_can_never_take_is_refused(world: Machines) -> None:
    outcome = world.adapter.apply(
        workload(173, service(ports=(Port(80, exposed_as=70_000, public=True),))), "d"
    )

    assert isinstance(outcome, Refused)
    assert outcome.reason == "Invalid"
    assert "65535" in outcome.why
