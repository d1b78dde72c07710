"""The adapter over simulated hosts: placement, unreachable hosts, failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.ansible.adapter import AnsibleAdapter, AnsibleEnvironment
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.runner import HostResult, RunError
from reconciler.values.desired import Port, Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.observed import ObservedWorkload
from reconciler.values.outcomes import Done, Failed, Refused
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.adapters.ansible.makers import hosts
from tests.contracts.adapter_backends import eventually, service, workload
from tests.contracts.fake_podman import FakePodman
from tests.contracts.host_backends import FakeRunner

REFUSED_CONNECTION = HostResult("unreachable", "ssh: connect to host x port 22: Connection refused")


class Harness:
    """An adapter with simulated hosts; `restart` is a restart of the daemon."""

    def __init__(self, scratch: Path, settings: AnsibleSettings, **results: HostResult) -> None:
        self.scratch = scratch
        self.settings = settings
        self.runner = FakeRunner(scratch / "hosts")
        self.runner.results.update(results)
        self.adapter = self._open()

    def _open(self) -> AnsibleAdapter:
        site = AnsibleEnvironment(
            self.settings, HostCredentials(), self.scratch / "state", self.scratch / "runs"
        )
        made = AnsibleAdapter(site, lambda: None, self.runner)
        made.start()
        return made

    def restart(self, settings: AnsibleSettings | None = None) -> None:
        self.adapter.close()
        self.settings = settings or self.settings
        self.adapter = self._open()
        self.adapter.observe()

    def observed(self, wanted: Workload) -> ObservedWorkload | None:
        reading = self.adapter.observe().workloads
        assert isinstance(reading, Seen), reading
        return reading.view.get(wanted.id)

    def until(self, wanted: Workload, holds: Callable[[ObservedWorkload], object]) -> ObservedWorkload:
        def look() -> ObservedWorkload | None:
            found = self.observed(wanted)
            return found if found is not None and holds(found) else None

        return eventually(look, f"{self.observed(wanted)}", 10)

    def run(self, wanted: Workload, digest: str = "d") -> ObservedWorkload:
        assert self.adapter.apply(wanted, digest) == Done()
        return self.until(wanted, lambda r: r.ready)

    def hosts_of(self, wanted: Workload) -> list[str]:
        """The hosts that hold containers of the workload."""
        label = "virtengine.com/workload"
        return [
            name
            for name, host in sorted(self.runner.hosts.items())
            if any(c["Config"]["Labels"].get(label) == wanted.id for c in host.containers.values())
        ]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path, hosts("one", "two"))
    made.adapter.observe()
    yield made
    made.adapter.close()


def sized(number: int, cpu: int) -> Workload:
    return workload(number, replace(service(), resources=Resources(cpu, 1 << 20, 1 << 20)))


def test_without_a_reachable_host_nothing_is_seen(tmp_path: Path) -> None:
    made = Harness(tmp_path, hosts("one"), one=REFUSED_CONNECTION)
    try:
        view = made.adapter.observe()
        assert isinstance(view.workloads, Unseen)
        assert view.workloads.why.startswith("HostUnreachable: host one: ssh: connect to host x port 22")
        assert isinstance(view.capacity, Unseen)
    finally:
        made.adapter.close()


def test_workloads_spread_over_hosts_and_stay(harness: Harness) -> None:
    first, second = sized(1, 5_000), sized(2, 5_000)
    harness.run(first)
    harness.run(second)
    assert (harness.hosts_of(first), harness.hosts_of(second)) == (["one"], ["two"])
    harness.adapter.remove(first.id)
    eventually(lambda: harness.observed(first) is None, "gone")
    harness.restart()
    harness.run(replace(second, services=sized(2, 7_000).services), "bigger")
    assert harness.hosts_of(second) == ["two"], "although the other has as much room"
    third = harness.adapter.apply(sized(3, 8_001), "d")
    assert isinstance(third, Failed)
    assert third.reason == "Unschedulable"


def test_jobs_in_flight_count_against_free_resources(harness: Harness) -> None:
    wanted = [sized(number, 5_000) for number in (1, 2, 3)]
    outcomes = [harness.adapter.apply(each, "d") for each in wanted]
    assert [type(each) for each in outcomes] == [Done, Done, Failed]
    for each in wanted[:2]:
        harness.until(each, lambda r: r.ready)
    assert [harness.hosts_of(each) for each in wanted] == [["one"], ["two"], []]


def test_a_public_port_goes_to_a_host_where_it_is_free(harness: Harness) -> None:
    public = [workload(n, service(ports=(Port(80, 8080, public=True),))) for n in (1, 2, 3)]
    harness.run(public[0])
    harness.run(public[1])
    assert {*harness.hosts_of(public[0]), *harness.hosts_of(public[1])} == {"one", "two"}
    third = harness.adapter.apply(public[2], "d")
    assert isinstance(third, Failed)
    assert "port 8080 is in use by another workload" in third.why


def test_an_unreachable_host_keeps_its_workloads_and_gets_no_new_ones(harness: Harness) -> None:
    first, second, new = sized(1, 100), sized(2, 7_000), sized(3, 100)
    harness.run(first)
    harness.run(second)
    assert harness.hosts_of(first) == ["one"]
    harness.runner.results["one"] = REFUSED_CONNECTION

    unreachable = harness.until(first, lambda r: r.trouble)

    assert unreachable.trouble is not None
    assert unreachable.trouble.reason == "HostUnreachable"
    assert (unreachable.ready, unreachable.drifted, unreachable.digest) == (False, False, "d")
    assert harness.until(second, lambda r: r.ready).trouble is None
    changed = harness.adapter.apply(first, "changed")
    assert isinstance(changed, Failed)
    assert changed.reason == "HostUnreachable"
    assert isinstance(harness.adapter.remove(first.id), Failed)
    harness.run(new)
    assert harness.hosts_of(new) == ["two"]
    del harness.runner.results["one"]
    assert harness.until(first, lambda r: r.ready).trouble is None


def test_workloads_of_an_unreachable_host_do_not_count_against_others(harness: Harness) -> None:
    harness.run(sized(1, 7_000))
    harness.runner.results["one"] = REFUSED_CONNECTION
    harness.until(sized(1, 7_000), lambda r: r.trouble)
    reading = harness.adapter.observe().capacity
    assert isinstance(reading, Seen)
    harness.adapter.prepare(reading.view.total)
    harness.run(sized(2, 7_000))
    assert harness.hosts_of(sized(2, 7_000)) == ["two"]


def test_placements_of_an_unreachable_host_survive_a_restart(harness: Harness) -> None:
    wanted = sized(1, 100)
    harness.run(wanted)
    harness.runner.results["one"] = REFUSED_CONNECTION
    harness.restart()
    found = harness.observed(wanted)
    assert found is not None
    assert (found.digest, found.drifted, found.trouble is not None) == ("d", False, True)
    assert isinstance(harness.adapter.apply(wanted, "d"), Failed)
    assert harness.hosts_of(wanted) == ["one"]


def test_without_placements_nothing_starts_while_a_host_is_unreachable(harness: Harness) -> None:
    wanted, new = sized(1, 100), sized(2, 100)
    harness.run(wanted)
    (harness.scratch / "state" / "places.json").unlink()
    harness.runner.results["two"] = REFUSED_CONNECTION
    harness.restart()
    outcome = harness.adapter.apply(new, "d")
    assert isinstance(outcome, Failed)
    assert outcome.reason == "HostUnseen"
    del harness.runner.results["two"]
    eventually(
        lambda: isinstance(harness.adapter.observe().workloads, Seen) and harness.observed(wanted),
        "both hosts",
    )
    eventually(lambda: isinstance(harness.adapter.apply(new, "d"), Done), "room")


def test_workloads_of_a_removed_host_move_to_others(harness: Harness) -> None:
    wanted = sized(1, 100)
    harness.run(wanted)
    harness.restart(hosts("two"))
    assert harness.until(wanted, lambda r: r.drifted).trouble is not None
    harness.run(wanted)
    assert harness.hosts_of(wanted) == ["one", "two"], "leftovers on a removed host are not ours to remove"


def test_leftovers_on_another_host_are_removed(harness: Harness) -> None:
    wanted = sized(1, 100)
    harness.run(wanted)
    harness.restart(hosts("two"))
    harness.run(wanted)
    harness.restart(hosts("one", "two"))
    harness.until(wanted, lambda r: r.drifted)
    assert harness.adapter.apply(wanted, "d") == Done()
    eventually(lambda: harness.hosts_of(wanted) == ["two"], "one remains")
    assert harness.until(wanted, lambda r: r.ready and not r.drifted)


def test_placement_respects_the_quota(harness: Harness) -> None:
    assert harness.adapter.prepare(Resources(1_000, 1 << 40, 1 << 40, 0)) == Done(
        "quota 1000m cpu, 1048576 MB memory, 1048576 MB storage, 0 gpu"
    )
    harness.run(sized(1, 600))
    outcome = harness.adapter.apply(sized(2, 600), "d")
    assert isinstance(outcome, Failed)
    assert outcome.reason == "QuotaExceeded"
    assert harness.adapter.apply(sized(1, 900), "more") == Done(), "its own share is not counted twice"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (RunError("the play apply did not end within 610 s"), "PlayTimedOut"),
        (HostResult("failed", "podman is not installed", "engine"), "NoEngine"),
        (HostResult("ok", response=b"{"), "HostUnreachable"),
        (ValueError("internal"), "HostUnreachable"),
    ],
)
def test_a_failed_job_is_reported_and_retried_after_a_backoff(
    harness: Harness, result: HostResult | Exception, reason: str
) -> None:
    wanted = sized(1, 100)
    run = harness.runner.run

    def fail_apply(play: object) -> object:
        if getattr(play, "name", "") != "apply":
            return run(play)  # type: ignore[arg-type]  # a play
        if isinstance(result, Exception):
            raise result
        return {"one": result}

    harness.runner.run = fail_apply  # type: ignore[method-assign,assignment]  # for this test alone
    assert harness.adapter.apply(wanted, "d") == Done()
    found = harness.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == reason
    assert (found.digest, found.drifted, found.ready) == ("d", False, False)
    harness.runner.run = run  # type: ignore[method-assign]  # as it was
    eventually(lambda: not harness.adapter._jobs.in_flight() or None, "the failed job is still in flight", 10)
    assert harness.run(wanted).trouble is None


def test_an_invalid_port_is_refused(harness: Harness) -> None:
    outcome = harness.adapter.apply(workload(1, service(ports=(Port(1, 70_000, public=True),))), "d")
    assert isinstance(outcome, Refused)


def test_apply_returns_before_the_host_is_done(harness: Harness) -> None:
    wanted = sized(1, 100)
    with harness.runner.host("one").lock:  # the engine does not answer
        assert harness.adapter.apply(wanted, "d") == Done()
        found = harness.observed(wanted)
        assert found is not None
        assert (found.digest, found.ready) == ("d", False)
    harness.until(wanted, lambda r: r.ready)


def test_a_failed_removal_backs_off(harness: Harness) -> None:
    wanted = sized(1, 100)
    harness.run(wanted)
    run = harness.runner.run

    def fail_apply(play: object) -> object:
        if getattr(play, "name", "") == "apply":
            raise RunError("the run broke off: it wrote no error output")
        return run(play)  # type: ignore[arg-type]  # a play

    harness.runner.run = fail_apply  # type: ignore[method-assign,assignment]  # for this test alone
    assert isinstance(harness.adapter.remove(wanted.id), Done)
    eventually(lambda: isinstance(harness.adapter.remove(wanted.id), Failed), "the failure")


def test_a_workload_without_its_record_is_found_by_its_labels(harness: Harness) -> None:
    wanted = sized(1, 100)
    harness.run(wanted)
    [record] = (harness.scratch / "hosts" / "one").glob("*.json")
    assert json.loads(record.read_text())["spec"]["workload"] == wanted.id
    record.unlink()
    assert harness.until(wanted, lambda r: r.drifted).digest == ""
    harness.run(wanted)


def test_a_port_in_use_by_a_foreign_container_is_reported_and_retried_later(harness: Harness) -> None:
    wanted = workload(1, service(ports=(Port(80, 8080, public=True),)))
    for host in ("one", "two"):
        engine = FakePodman(harness.runner.host(host))
        engine.run("x", "create", "--name=s", "--publish=0.0.0.0:8080:80/tcp", "registry.example/web:1")
        engine.run("x", "start", "s")
    assert harness.adapter.apply(wanted, "d") == Done()
    found = harness.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == "PortInUse"
    assert (found.digest, found.drifted) == ("d", False), "not before the backoff ends"
    [host] = harness.hosts_of(wanted)
    labels = {c["Name"]: c["Config"]["Labels"] for c in harness.runner.host(host).containers.values()}
    assert labels[f"web-{wanted.id}-0"]["virtengine.com/workload"] == wanted.id, "it has our labels"


def test_unwritable_records_are_reported(harness: Harness) -> None:
    for host in ("one", "two"):
        (harness.scratch / "hosts" / host).parent.mkdir(exist_ok=True)
        (harness.scratch / "hosts" / host).write_text("not a directory")
    wanted = sized(1, 100)
    assert harness.adapter.apply(wanted, "d") == Done()
    found = harness.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == "RecordUnwritable"
    assert harness.hosts_of(wanted) == [], "no container without a record"
