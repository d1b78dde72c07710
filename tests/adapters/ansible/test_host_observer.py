"""What the adapter sees, and when it sees nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from reconciler.adapters.ansible.answers import LookAnswer
from reconciler.adapters.ansible.host_observer import HostObserver
from reconciler.adapters.ansible.runs import HostAnswer, Play, RunError
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, Timeouts
from tests.adapters.ansible.makers import WANTED, answer, hosts, look
from tests.contracts.adapter_worlds import eventually

DOWN = HostAnswer("unreachable", "ssh: connect to host x port 22: Connection refused")


def ok(seen: LookAnswer) -> HostAnswer:
    return HostAnswer("ok", answer=msgspec.json.encode(seen))


class Player:
    """Answers as it is told."""

    def __init__(self, answers: dict[str, HostAnswer | RunError]) -> None:
        self.answers = answers
        self.plays: list[Play] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def run(self, play: Play) -> Mapping[str, HostAnswer]:
        self.plays.append(play)
        self.before()
        found: dict[str, HostAnswer] = {}
        for host in play.orders:
            told = self.answers[host]
            if isinstance(told, RunError):
                raise told
            found[host] = told
        self.after()
        return found

    def close(self) -> None:
        """Nothing runs."""


class Watching:
    def __init__(self, player: Player, settings: AnsibleSettings) -> None:
        self.player = player
        self.changes = 0
        self.sight = HostObserver(player, settings, self._count)

    def _count(self) -> None:
        self.changes += 1

    def after(self, looks: int) -> None:
        seen = len(self.player.plays)
        eventually(lambda: len(self.player.plays) >= seen + looks + 1, "more looks")


@pytest.fixture
def watching(request: pytest.FixtureRequest) -> Iterator[Watching]:
    settings = getattr(request, "param", None) or hosts("one", "two")
    player = Player({name: ok(look((WANTED, answer()))) for name in settings.hosts})
    made = Watching(player, settings)
    yield made
    made.sight.close()


def test_nothing_is_seen_before_the_first_look_and_one_run_looks_at_all(watching: Watching) -> None:
    assert [seen.look for seen in watching.sight.hosts().values()] == [None, None]
    watching.sight.start()
    watching.sight.wait(5)
    assert [seen.trouble for seen in watching.sight.hosts().values()] == [None, None]
    [play, *_] = watching.player.plays
    assert (play.name, play.checking, sorted(play.orders)) == ("look", True, ["one", "two"])


def test_a_host_that_never_answered_is_unseen_at_once_and_others_go_on(watching: Watching) -> None:
    watching.player.answers["two"] = DOWN
    watching.sight.start()
    watching.sight.wait(5)
    seen = watching.sight.hosts()
    assert seen["one"].trouble is None
    assert seen["two"].trouble is not None
    assert seen["two"].trouble.reason == "HostUnreachable"


def test_one_look_may_be_missed_two_may_not_and_what_was_seen_is_kept(watching: Watching) -> None:
    watching.sight.start()
    watching.sight.wait(5)
    troubles = []

    def note() -> None:
        troubles.append(watching.sight.hosts()["one"].trouble)

    watching.player.before = note
    watching.player.answers["one"] = DOWN
    eventually(lambda: troubles and troubles[-1] is not None, "the trouble")
    missed = [trouble is None for trouble in troubles]
    assert missed.count(True) >= 2, "before the first miss, and after it"
    assert watching.sight.hosts()["one"].look is not None
    watching.player.answers["one"] = ok(look())
    eventually(lambda: watching.sight.hosts()["one"].trouble is None, "seen again")


def test_a_run_that_fails_is_told_of_every_host(watching: Watching) -> None:
    watching.player.answers["one"] = RunError("the play look did not end within 60 s")
    watching.sight.start()
    watching.sight.wait(5)
    reasons = [seen.trouble and seen.trouble.reason for seen in watching.sight.hosts().values()]
    assert reasons == ["PlayTimedOut", "PlayTimedOut"]


def test_an_answer_that_cannot_be_read_is_no_empty_host(watching: Watching) -> None:
    watching.player.answers["one"] = HostAnswer("ok", answer=b'{"workloads": []}')
    watching.sight.start()
    watching.sight.wait(5)
    assert watching.sight.hosts()["one"].trouble is not None


@pytest.mark.parametrize("watching", [hosts("one", patience=Timeouts(stale=0))], indirect=True)
def test_what_is_too_old_is_unseen(watching: Watching) -> None:
    watching.sight.start()
    watching.sight.wait(5)
    time.sleep(0.01)
    trouble = watching.sight.hosts()["one"].trouble
    assert trouble is not None
    assert trouble.reason == "HostStale"


@pytest.mark.parametrize("watching", [hosts("one", look_every=60)], indirect=True)
def test_what_a_job_left_is_not_undone_by_a_look_that_began_before(watching: Watching) -> None:
    watching.sight.start()
    watching.sight.wait(5)
    newer, begun, ended = answer(digest="new"), threading.Event(), threading.Event()

    def learn() -> None:
        watching.sight.learn("one", WANTED.id, newer)
        begun.set()

    watching.player.before = learn
    watching.player.after = ended.set
    watching.sight.poke("one")
    assert begun.wait(5)
    assert ended.wait(5)
    time.sleep(0.1)  # the look's answer, which is older, is taken
    found = watching.sight.hosts()["one"].look
    assert found is not None
    assert found.workloads[WANTED.id].digest == "new"


def test_only_a_change_wakes(watching: Watching) -> None:
    watching.sight.start()
    watching.sight.wait(5)
    watching.after(1)
    count = watching.changes
    watching.after(3)
    assert watching.changes == count
    watching.player.answers["one"] = ok(look())
    eventually(lambda: watching.changes > count, "a wake")


def test_a_difference_is_said_once_in_the_hosts_own_words(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watching.sight.start()
    watching.sight.wait(5)
    drifted = answer(differences=["web-0 does not run"])
    watching.player.answers["one"] = ok(look((WANTED, drifted)))
    watching.after(3)
    said = [record.getMessage() for record in caplog.records if "does not run" in record.getMessage()]
    assert said == [f"adapter ansible: host one: workload {WANTED.id}: web-0 does not run"]


def test_each_group_is_looked_at_by_itself() -> None:
    groups = tuple(AnsibleGroup(name, (AnsibleHost(f"{name}-1", "localhost"),)) for name in ("a", "b"))
    player = Player({"a-1": ok(look()), "b-1": RunError("hangs")})
    made = Watching(player, hosts(groups=groups))
    made.sight.start()
    try:
        made.sight.wait(5)
        assert made.sight.hosts()["a-1"].trouble is None
        assert made.sight.hosts()["b-1"].trouble is not None
    finally:
        made.sight.close()


def test_an_answer_is_what_hosts_send() -> None:
    text = json.dumps({"workloads": {}, "facts": {"cpu_milli": 4000, "free_bytes": 1}, "checking": True})
    assert msgspec.json.decode(text, type=LookAnswer).facts.cpu_milli == 4000


@pytest.mark.parametrize("error", [RuntimeError, ValueError, RecursionError])
def test_a_look_that_raises_is_made_again(watching: Watching, error: type[Exception]) -> None:
    def odd() -> None:
        if len(watching.player.plays) < 3:
            raise error("odd")

    watching.player.before = odd
    watching.sight.start()
    watching.sight.wait(5)
    for _ in range(3):
        watching.sight.poke("one")
        watching.sight.poke("two")
        watching.after(0)
    eventually(lambda: all(seen.look for seen in watching.sight.hosts().values()), "the hosts")
