"""The contract of the Inspector port, on simulated backends and, by `make live`, on real ones."""

from __future__ import annotations

from reconciler.values.inspection import UseSource, WorkloadEvents
from tests.contracts.adapter_backends import AdapterBackend, eventually, service, workload


def test_usage_is_measured_or_has_a_reason(backend: AdapterBackend) -> None:
    inspector = backend.inspector
    wanted = workload(700, service(count=2))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")

    used = inspector.use(wanted.id)

    assert {each.container for each in used.containers} == {"web"}
    if used.source is UseSource.REQUESTS:
        assert used.why
        assert [(each.cpu_milli, each.memory_bytes) for each in used.containers] == [(100, 64 << 20)] * 2
    else:
        assert used.at > 0


def test_events_are_listed_newest_first(backend: AdapterBackend) -> None:
    inspector = backend.inspector
    wanted, other = workload(701), workload(702)
    for each in (wanted, other):
        backend.adapter.apply(each, "d")

    def events() -> WorkloadEvents | None:
        found = inspector.events(wanted.id)
        return found if backend.first_event in {each.reason for each in found.listed} else None

    found = eventually(events, "that its pods are made")
    assert found.complete
    assert all(wanted.id in each.about for each in found.listed)
    times = [each.last_at for each in found.listed]
    assert times == sorted(times, reverse=True)
    assert times[-1] > 0


def test_a_missing_workload_has_no_usage_and_no_events(backend: AdapterBackend) -> None:
    nobody = workload(703).id

    assert backend.inspector.use(nobody).containers == ()
    assert backend.inspector.events(nobody).listed == ()
