"""Observation of hosts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from reconciler.adapters.ansible.host_observer import HostObserver
from reconciler.adapters.ansible.responses import ObservedHost
from reconciler.adapters.ansible.runner import HostResult, Play, RunError
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, Timeouts
from tests.adapters.ansible.makers import WANTED, hosts, observed_host, observed_workload
from tests.contracts.adapter_backends import eventually

DOWN = HostResult("unreachable", "ssh: connect to host x port 22: Connection refused")


def ok(seen: ObservedHost) -> HostResult:
    return HostResult("ok", response=msgspec.json.encode(seen))


class ScriptedRunner:
    """Returns the given results; `before` and `after` run around each play."""

    def __init__(self, results: dict[str, HostResult | RunError]) -> None:
        self.results = results
        self.plays: list[Play] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def run(self, play: Play) -> Mapping[str, HostResult]:
        self.plays.append(play)
        self.before()
        found: dict[str, HostResult] = {}
        for host in play.requests:
            result = self.results[host]
            if isinstance(result, RunError):
                raise result
            found[host] = result
        self.after()
        return found

    def close(self) -> None:
        """Nothing runs."""


class Harness:
    def __init__(self, runner: ScriptedRunner, settings: AnsibleSettings) -> None:
        self.runner = runner
        self.changes = 0
        self.observer = HostObserver(runner, settings, self._count)

    def _count(self) -> None:
        self.changes += 1

    def wait_for(self, count: int) -> None:
        seen = len(self.runner.plays)
        eventually(lambda: len(self.runner.plays) >= seen + count + 1, "more observations")


@pytest.fixture
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    settings = getattr(request, "param", None) or hosts("one", "two")
    runner = ScriptedRunner(
        {name: ok(observed_host((WANTED, observed_workload()))) for name in settings.hosts}
    )
    made = Harness(runner, settings)
    yield made
    made.observer.close()


def test_one_run_observes_all_hosts_of_a_group(harness: Harness) -> None:
    assert [seen.observed for seen in harness.observer.readings().values()] == [None, None]
    harness.observer.start()
    harness.observer.wait(5)
    assert [seen.trouble for seen in harness.observer.readings().values()] == [None, None]
    [play, *_] = harness.runner.plays
    assert (play.name, play.check_mode, sorted(play.requests)) == ("observe", True, ["one", "two"])


def test_a_host_that_never_answered_is_unreachable_at_once(harness: Harness) -> None:
    harness.runner.results["two"] = DOWN
    harness.observer.start()
    harness.observer.wait(5)
    seen = harness.observer.readings()
    assert seen["one"].trouble is None
    assert seen["two"].trouble is not None
    assert seen["two"].trouble.reason == "HostUnreachable"


def test_a_host_may_miss_one_observation_and_keeps_its_last(harness: Harness) -> None:
    harness.observer.start()
    harness.observer.wait(5)
    troubles = []

    def append() -> None:
        troubles.append(harness.observer.readings()["one"].trouble)

    harness.runner.before = append
    harness.runner.results["one"] = DOWN
    eventually(lambda: troubles and troubles[-1] is not None, "the trouble")
    missed = [trouble is None for trouble in troubles]
    assert missed.count(True) >= 2, "before the first miss, and after it"
    assert harness.observer.readings()["one"].observed is not None
    harness.runner.results["one"] = ok(observed_host())
    eventually(lambda: harness.observer.readings()["one"].trouble is None, "seen again")


def test_a_failed_run_is_reported_for_every_host(harness: Harness) -> None:
    harness.runner.results["one"] = RunError("the play look did not end within 60 s")
    harness.observer.start()
    harness.observer.wait(5)
    reasons = [seen.trouble and seen.trouble.reason for seen in harness.observer.readings().values()]
    assert reasons == ["PlayTimedOut", "PlayTimedOut"]


def test_an_unreadable_response_is_not_an_empty_host(harness: Harness) -> None:
    harness.runner.results["one"] = HostResult("ok", response=b'{"workloads": []}')
    harness.observer.start()
    harness.observer.wait(5)
    assert harness.observer.readings()["one"].trouble is not None


@pytest.mark.parametrize("harness", [hosts("one", timeouts=Timeouts(stale=0))], indirect=True)
def test_an_old_observation_is_stale(harness: Harness) -> None:
    harness.observer.start()
    harness.observer.wait(5)
    time.sleep(0.01)
    trouble = harness.observer.readings()["one"].trouble
    assert trouble is not None
    assert trouble.reason == "HostStale"


@pytest.mark.parametrize("harness", [hosts("one", observe_every_seconds=60)], indirect=True)
def test_a_job_result_is_newer_than_an_observation_that_began_before(harness: Harness) -> None:
    harness.observer.start()
    harness.observer.wait(5)
    newer, begun, ended = observed_workload(digest="new"), threading.Event(), threading.Event()

    def record() -> None:
        harness.observer.record("one", WANTED.id, newer)
        begun.set()

    harness.runner.before = record
    harness.runner.after = ended.set
    harness.observer.trigger("one")
    assert begun.wait(5)
    assert ended.wait(5)
    time.sleep(0.1)  # the older observation is stored
    found = harness.observer.readings()["one"].observed
    assert found is not None
    assert found.workloads[WANTED.id].digest == "new"


def test_only_a_change_wakes_the_loop(harness: Harness) -> None:
    harness.observer.start()
    harness.observer.wait(5)
    harness.wait_for(1)
    count = harness.changes
    harness.wait_for(3)
    assert harness.changes == count
    harness.runner.results["one"] = ok(observed_host())
    eventually(lambda: harness.changes > count, "a wake")


def test_drift_is_logged_once(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    harness.observer.start()
    harness.observer.wait(5)
    drifted = observed_workload(differences=["web-0 does not run"])
    harness.runner.results["one"] = ok(observed_host((WANTED, drifted)))
    harness.wait_for(3)
    logged = [record.getMessage() for record in caplog.records if "does not run" in record.getMessage()]
    assert logged == [f"adapter ansible: host one: workload {WANTED.id}: web-0 does not run"]


def test_groups_are_observed_independently() -> None:
    groups = tuple(AnsibleGroup(name, (AnsibleHost(f"{name}-1", "localhost"),)) for name in ("a", "b"))
    runner = ScriptedRunner({"a-1": ok(observed_host()), "b-1": RunError("hangs")})
    made = Harness(runner, hosts(groups=groups))
    made.observer.start()
    try:
        made.observer.wait(5)
        assert made.observer.readings()["a-1"].trouble is None
        assert made.observer.readings()["b-1"].trouble is not None
    finally:
        made.observer.close()


def test_unknown_fields_of_a_response_are_ignored() -> None:
    text = json.dumps({"workloads": {}, "facts": {"cpu_milli": 4000, "free_bytes": 1}, "check_mode": True})
    assert msgspec.json.decode(text, type=ObservedHost).facts.cpu_milli == 4000


@pytest.mark.parametrize("error", [RuntimeError, ValueError, RecursionError])
def test_an_observation_that_raises_is_repeated(harness: Harness, error: type[Exception]) -> None:
    def fail() -> None:
        if len(harness.runner.plays) < 3:
            raise error("broken")

    harness.runner.before = fail
    harness.observer.start()
    harness.observer.wait(5)
    for _ in range(3):
        harness.observer.trigger("one")
        harness.observer.trigger("two")
        harness.wait_for(0)
    eventually(lambda: all(seen.observed for seen in harness.observer.readings().values()), "the hosts")
