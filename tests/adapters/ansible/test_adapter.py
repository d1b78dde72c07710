"""The adapter over hosts that are played: where workloads go, where they stay, and what failures do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.ansible.adapter import AnsibleAdapter, AnsibleEnvironment
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.runs import HostAnswer, RunError
from reconciler.values.desired import Port, Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.observed import Running
from reconciler.values.outcomes import Done, Failed, Refused
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.adapters.ansible.makers import hosts
from tests.contracts.adapter_worlds import eventually, service, workload
from tests.contracts.fake_podman import FakePodman
from tests.contracts.host_worlds import PlayedRuns

DOWN = HostAnswer("unreachable", "ssh: connect to host x port 22: Connection refused")


class Stand:
    """An adapter with hosts that are played; `again` is the daemon started anew."""

    def __init__(self, scratch: Path, settings: AnsibleSettings, **fates: HostAnswer) -> None:
        self.scratch = scratch
        self.settings = settings
        self.runs = PlayedRuns(scratch / "hosts")
        self.runs.fates.update(fates)
        self.adapter = self._open()

    def _open(self) -> AnsibleAdapter:
        site = AnsibleEnvironment(
            self.settings, HostCredentials(), self.scratch / "state", self.scratch / "runs"
        )
        made = AnsibleAdapter(site, lambda: None, self.runs)
        made.start()
        return made

    def again(self, settings: AnsibleSettings | None = None) -> None:
        self.adapter.close()
        self.settings = settings or self.settings
        self.adapter = self._open()
        self.adapter.look()

    def seen(self, wanted: Workload) -> Running | None:
        reading = self.adapter.look().workloads
        assert isinstance(reading, Seen), reading
        return reading.view.get(wanted.id)

    def until(self, wanted: Workload, holds: Callable[[Running], object]) -> Running:
        def look() -> Running | None:
            found = self.seen(wanted)
            return found if found is not None and holds(found) else None

        return eventually(look, f"{self.seen(wanted)}", 10)

    def run(self, wanted: Workload, digest: str = "d") -> Running:
        assert self.adapter.apply(wanted, digest) == Done()
        return self.until(wanted, lambda r: r.ready)

    def on(self, wanted: Workload) -> list[str]:
        """The hosts that hold containers of it."""
        label = "virtengine.com/workload"
        return [
            host
            for host, stage in sorted(self.runs.stages.items())
            if any(c["Config"]["Labels"].get(label) == wanted.id for c in stage.containers.values())
        ]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path, hosts("one", "two"))
    made.adapter.look()
    yield made
    made.adapter.close()


def sized(number: int, cpu: int) -> Workload:
    return workload(number, replace(service(), resources=Resources(cpu, 1 << 20, 1 << 20)))


def test_nothing_is_seen_before_hosts_answered(tmp_path: Path) -> None:
    made = Stand(tmp_path, hosts("one"), one=DOWN)
    try:
        view = made.adapter.look()
        assert isinstance(view.workloads, Unseen)
        assert view.workloads.why.startswith("HostUnreachable: host one: ssh: connect to host x port 22")
        assert isinstance(view.capacity, Unseen)
    finally:
        made.adapter.close()


def test_workloads_spread_over_hosts_that_fit_and_stay(stand: Stand) -> None:
    first, second = sized(1, 5_000), sized(2, 5_000)
    stand.run(first)
    stand.run(second)
    assert (stand.on(first), stand.on(second)) == (["one"], ["two"])
    stand.adapter.remove(first.id)
    eventually(lambda: stand.seen(first) is None, "gone")
    stand.again()
    stand.run(replace(second, services=sized(2, 7_000).services), "bigger")
    assert stand.on(second) == ["two"], "though the other has as much room"
    third = stand.adapter.apply(sized(3, 8_001), "d")
    assert isinstance(third, Failed)
    assert third.reason == "Unschedulable"


def test_two_that_are_asked_for_at_once_do_not_share_the_same_room(stand: Stand) -> None:
    wanted = [sized(number, 5_000) for number in (1, 2, 3)]
    outcomes = [stand.adapter.apply(each, "d") for each in wanted]
    assert [type(each) for each in outcomes] == [Done, Done, Failed]
    for each in wanted[:2]:
        stand.until(each, lambda r: r.ready)
    assert [stand.on(each) for each in wanted] == [["one"], ["two"], []]


def test_a_public_port_goes_to_a_host_where_it_is_free(stand: Stand) -> None:
    public = [workload(n, service(ports=(Port(80, 8080, public=True),))) for n in (1, 2, 3)]
    stand.run(public[0])
    stand.run(public[1])
    assert {*stand.on(public[0]), *stand.on(public[1])} == {"one", "two"}
    third = stand.adapter.apply(public[2], "d")
    assert isinstance(third, Failed)
    assert "port 8080 is another workload's" in third.why


def test_a_host_that_falls_silent_keeps_its_workloads_and_takes_no_new_ones(stand: Stand) -> None:
    first, second, new = sized(1, 100), sized(2, 7_000), sized(3, 100)
    stand.run(first)
    stand.run(second)
    assert stand.on(first) == ["one"]
    stand.runs.fates["one"] = DOWN

    silent = stand.until(first, lambda r: r.trouble)

    assert silent.trouble is not None
    assert silent.trouble.reason == "HostUnreachable"
    assert (silent.ready, silent.drifted, silent.digest) == (False, False, "d")
    assert stand.until(second, lambda r: r.ready).trouble is None
    changed = stand.adapter.apply(first, "changed")
    assert isinstance(changed, Failed)
    assert changed.reason == "HostUnreachable"
    assert isinstance(stand.adapter.remove(first.id), Failed)
    stand.run(new)
    assert stand.on(new) == ["two"]
    del stand.runs.fates["one"]
    assert stand.until(first, lambda r: r.ready).trouble is None


def test_what_a_silent_host_holds_does_not_count_against_the_room_of_others(stand: Stand) -> None:
    stand.run(sized(1, 7_000))
    stand.runs.fates["one"] = DOWN
    stand.until(sized(1, 7_000), lambda r: r.trouble)
    reading = stand.adapter.look().capacity
    assert isinstance(reading, Seen)
    stand.adapter.prepare(reading.view.total)
    stand.run(sized(2, 7_000))
    assert stand.on(sized(2, 7_000)) == ["two"]


def test_a_daemon_that_starts_while_a_host_is_silent_knows_what_it_holds(stand: Stand) -> None:
    wanted = sized(1, 100)
    stand.run(wanted)
    stand.runs.fates["one"] = DOWN
    stand.again()
    found = stand.seen(wanted)
    assert found is not None
    assert (found.digest, found.drifted, found.trouble is not None) == ("d", False, True)
    assert isinstance(stand.adapter.apply(wanted, "d"), Failed)
    assert stand.on(wanted) == ["one"]


def test_where_the_places_are_lost_nothing_begins_while_a_host_is_silent(stand: Stand) -> None:
    wanted, new = sized(1, 100), sized(2, 100)
    stand.run(wanted)
    (stand.scratch / "state" / "places.json").unlink()
    stand.runs.fates["two"] = DOWN
    stand.again()
    outcome = stand.adapter.apply(new, "d")
    assert isinstance(outcome, Failed)
    assert outcome.reason == "HostUnseen"
    del stand.runs.fates["two"]
    eventually(lambda: isinstance(stand.adapter.look().workloads, Seen) and stand.seen(wanted), "both hosts")
    eventually(lambda: isinstance(stand.adapter.apply(new, "d"), Done), "room")


def test_a_host_taken_out_of_the_file_gives_its_workloads_to_others(stand: Stand) -> None:
    wanted = sized(1, 100)
    stand.run(wanted)
    stand.again(hosts("two"))
    assert stand.until(wanted, lambda r: r.drifted).trouble is not None
    stand.run(wanted)
    assert stand.on(wanted) == ["one", "two"], "what is left on the other is its owner's to remove"


def test_what_is_left_on_another_host_is_taken_away(stand: Stand) -> None:
    wanted = sized(1, 100)
    stand.run(wanted)
    stand.again(hosts("two"))
    stand.run(wanted)
    stand.again(hosts("one", "two"))
    stand.until(wanted, lambda r: r.drifted)
    assert stand.adapter.apply(wanted, "d") == Done()
    eventually(lambda: stand.on(wanted) == ["two"], "one left")
    assert stand.until(wanted, lambda r: r.ready and not r.drifted)


def test_no_more_is_placed_than_the_quota(stand: Stand) -> None:
    assert stand.adapter.prepare(Resources(1_000, 1 << 40, 1 << 40, 0)) == Done(
        "quota 1000m cpu, 1048576 MB memory, 1048576 MB storage, 0 gpu"
    )
    stand.run(sized(1, 600))
    outcome = stand.adapter.apply(sized(2, 600), "d")
    assert isinstance(outcome, Failed)
    assert outcome.reason == "QuotaExceeded"
    assert stand.adapter.apply(sized(1, 900), "more") == Done(), "its own share is not counted twice"


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (RunError("the play work did not end within 610 s"), "PlayTimedOut"),
        (HostAnswer("failed", "podman is not installed", "engine"), "NoEngine"),
        (HostAnswer("ok", answer=b"{"), "HostUnreachable"),
        (ValueError("a fault of ours"), "HostUnreachable"),
    ],
)
def test_work_that_came_to_nothing_is_told_and_not_tried_at_once(
    stand: Stand, fate: HostAnswer | Exception, reason: str
) -> None:
    wanted = sized(1, 100)
    played = stand.runs.run

    def only_work(play: object) -> object:
        if getattr(play, "name", "") != "work":
            return played(play)  # type: ignore[arg-type]  # a play
        if isinstance(fate, Exception):
            raise fate
        return {"one": fate}

    stand.runs.run = only_work  # type: ignore[method-assign,assignment]  # for this test alone
    assert stand.adapter.apply(wanted, "d") == Done()
    found = stand.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == reason
    assert (found.digest, found.drifted, found.ready) == ("d", False, False)
    stand.runs.run = played  # type: ignore[method-assign]  # as it was
    eventually(lambda: not stand.adapter._jobs.under_way() or None, "the failed work is still under way", 10)
    assert stand.run(wanted).trouble is None


def test_what_no_host_may_do_is_refused(stand: Stand) -> None:
    outcome = stand.adapter.apply(workload(1, service(ports=(Port(1, 70_000, public=True),))), "d")
    assert isinstance(outcome, Refused)


def test_applying_and_removing_return_before_the_hosts_have_caught_up(stand: Stand) -> None:
    wanted = sized(1, 100)
    with stand.runs.stage("one").lock:  # the engine does not answer
        assert stand.adapter.apply(wanted, "d") == Done()
        found = stand.seen(wanted)
        assert found is not None
        assert (found.digest, found.ready) == ("d", False)
    stand.until(wanted, lambda r: r.ready)


def test_a_removal_that_failed_waits_before_it_is_asked_again(stand: Stand) -> None:
    wanted = sized(1, 100)
    stand.run(wanted)
    played = stand.runs.run

    def broken(play: object) -> object:
        if getattr(play, "name", "") == "work":
            raise RunError("the run broke off: it said nothing")
        return played(play)  # type: ignore[arg-type]  # a play

    stand.runs.run = broken  # type: ignore[method-assign,assignment]  # for this test alone
    assert isinstance(stand.adapter.remove(wanted.id), Done)
    eventually(lambda: isinstance(stand.adapter.remove(wanted.id), Failed), "the failure")


def test_the_engines_labels_are_enough_to_find_what_has_lost_its_record(stand: Stand) -> None:
    wanted = sized(1, 100)
    stand.run(wanted)
    [record] = (stand.scratch / "hosts" / "one").glob("*.json")
    assert json.loads(record.read_text())["order"]["workload"] == wanted.id
    record.unlink()
    assert stand.until(wanted, lambda r: r.drifted).digest == ""
    stand.run(wanted)


def test_a_port_that_a_stranger_has_is_told_and_tried_again_later(stand: Stand) -> None:
    wanted = workload(1, service(ports=(Port(80, 8080, public=True),)))
    for host in ("one", "two"):
        engine = FakePodman(stand.runs.stage(host))
        engine.run("x", "create", "--name=s", "--publish=0.0.0.0:8080:80/tcp", "registry.example/web:1")
        engine.run("x", "start", "s")
    assert stand.adapter.apply(wanted, "d") == Done()
    found = stand.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == "PortInUse"
    assert (found.digest, found.drifted) == ("d", False), "not before a while"
    [host] = stand.on(wanted)
    labels = {c["Name"]: c["Config"]["Labels"] for c in stand.runs.stage(host).containers.values()}
    assert labels[f"web-{wanted.id}-0"]["virtengine.com/workload"] == wanted.id, "labelled"


def test_records_that_cannot_be_written_are_told(stand: Stand) -> None:
    for host in ("one", "two"):
        (stand.scratch / "hosts" / host).parent.mkdir(exist_ok=True)
        (stand.scratch / "hosts" / host).write_text("no directory")
    wanted = sized(1, 100)
    assert stand.adapter.apply(wanted, "d") == Done()
    found = stand.until(wanted, lambda r: r.trouble)
    assert found.trouble is not None
    assert found.trouble.reason == "RecordUnwritable"
    assert stand.on(wanted) == [], "nothing is made that nobody would know of"
