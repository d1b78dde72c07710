"""The contract of the Adapter port for failures: troubles, drift and refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.values.desired import Env, Port
from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done, Refused
from reconciler.values.resources import MB, Resources
from tests.contracts.adapter_backends import EXPOSED, QUOTA, AdapterBackend, lease, service, workload
from tests.contracts.conftest import CLUSTERS, HOSTS


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        ("registry.example/missing:1", "ImagePullFailed", "cannot be pulled"),
        ("registry.example/crash:1", "CrashLoop", "exits with 1"),
    ],
)
def test_a_failing_container_has_a_reason(
    backend: AdapterBackend, image: str, reason: str, message: str
) -> None:
    wanted = workload(108 + len(reason) + len(image), service(image=image))

    trouble = backend.trouble_of(wanted)

    assert trouble.reason == reason
    assert message in trouble.message
    assert trouble.advice
    backend.adapter.remove(wanted.id)


def test_a_corrected_image_ends_the_trouble(backend: AdapterBackend) -> None:
    backend.adapter.apply(workload(150, service(image="registry.example/missing:1", count=2)), "bad")
    subject = workload_id(lease(150))
    backend.until(subject, lambda r: r.trouble, "trouble")

    backend.adapter.apply(workload(150, service(count=2)), "good")

    assert backend.until(subject, lambda r: r.ready, "ready").trouble is None


@pytest.mark.parametrize("backend", [*CLUSTERS, *HOSTS], indirect=True)
def test_a_workload_beyond_the_quota_for_all_is_reported(backend: AdapterBackend) -> None:
    wanted = workload(151, replace(service(), resources=Resources(QUOTA.cpu_milli * 2, 64 * MB, 0)))

    trouble = backend.trouble_of(wanted)

    assert trouble.reason == "QuotaExceeded"
    assert "cpu" in trouble.message
    backend.adapter.remove(wanted.id)


def test_an_unschedulable_workload_is_reported(backend: AdapterBackend) -> None:
    backend.adapter.prepare(replace(QUOTA, storage_bytes=900 << 40))
    wanted = workload(152, replace(service(), resources=Resources(100, 64 * MB, 800 << 40)))

    trouble = backend.trouble_of(wanted)

    assert trouble.reason == "Unschedulable"
    assert "storage" in trouble.message
    backend.adapter.remove(wanted.id)
    backend.adapter.prepare(QUOTA)


@pytest.mark.parametrize(
    ("dseq", "kind"), [(160, "more"), (161, "image"), (162, "deleted"), (163, "env"), (164, "disconnected")]
)
def test_drift_is_detected_and_repaired(backend: AdapterBackend, dseq: int, kind: str) -> None:
    wanted = workload(dseq, service(ports=EXPOSED, env=(Env("MODE", "a"),)))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready and not r.drifted, "ready")

    backend.modify(kind, wanted.id)

    backend.until(wanted.id, lambda r: r.drifted, "drift")
    assert backend.adapter.apply(wanted, "d") == Done()
    backend.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")


def test_a_foreign_object_of_that_name_is_left_alone(backend: AdapterBackend) -> None:
    wanted = workload(172, service(ports=EXPOSED))
    version = backend.create_foreign(wanted.id)

    assert backend.trouble_of(wanted).reason == "NameTaken"

    assert backend.foreign_version(wanted.id) == version
    backend.adapter.remove(wanted.id)


def test_an_invalid_workload_is_refused(backend: AdapterBackend) -> None:
    outcome = backend.adapter.apply(
        workload(173, service(ports=(Port(80, exposed_as=70_000, public=True),))), "d"
    )

    assert isinstance(outcome, Refused)
    assert outcome.reason == "Invalid"
    assert "65535" in outcome.why
