from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes import informer
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.informer import Informer
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.cluster.kinds import BY_NAME, Target
from reconciler.devnet.cluster.writes import WriteRequest
from reconciler.values.readings import Seen, Unseen
from tests.contracts.adapter_backends import eventually

PATH = "/api/v1/namespaces/default/configmaps"


def write(cluster: SimulatedCluster, name: str) -> None:
    target = Target(BY_NAME["ConfigMap"], "default", name)
    cluster.writes.create(target, {"metadata": {"name": name}}, WriteRequest("us"))


def erase(cluster: SimulatedCluster, name: str) -> None:
    cluster.writes.delete(Target(BY_NAME["ConfigMap"], "default", name), {}, WriteRequest("us"))


class Watched:
    """An informer of ConfigMap names that counts its wakes."""

    def __init__(self, client: ApiClient, path: str = PATH) -> None:
        self.cache = Informer(client, path, {}, len)
        self.cache.stale_seconds = 0.3
        self.wakes = 0
        self.cache.wake = self.wake

    def wake(self) -> None:
        self.wakes += 1

    def start(self) -> Watched:
        self.cache.start()
        self.cache.wait_for_sync(5)
        return self

    def names(self) -> list[str]:
        reading = self.cache.read()
        assert isinstance(reading, Seen), reading
        return sorted(key.partition("/")[2] for key in reading.view)

    def until(self, *names: str) -> None:
        eventually(lambda: self.names() == list(names), f"{names}, but {self.cache.read()}", 10)

    def until_unseen(self) -> str:
        reading = eventually(lambda: self._unseen(), "unseen", 10)
        return reading.why

    def _unseen(self) -> Unseen | None:
        reading = self.cache.read()
        return reading if isinstance(reading, Unseen) else None


@pytest.fixture
def watched(client: ApiClient) -> Iterator[Watched]:
    made = Watched(client)
    yield made
    made.cache.close()


def test_before_the_first_list_it_is_unseen(watched: Watched) -> None:
    assert isinstance(watched.cache.read(), Unseen)


def test_existing_new_and_deleted_objects_are_seen(cluster: SimulatedCluster, watched: Watched) -> None:
    write(cluster, "a")
    watched.start()
    assert watched.names() == ["a"]

    write(cluster, "b")
    watched.until("a", "b")
    erase(cluster, "a")
    watched.until("b")

    assert watched.wakes >= 3


def test_an_unchanged_snapshot_is_identical(cluster: SimulatedCluster, watched: Watched) -> None:
    watched.start()
    first, second = watched.cache.read(), watched.cache.read()
    assert isinstance(first, Seen)
    assert isinstance(second, Seen)
    assert first.view is second.view

    write(cluster, "a")
    watched.until("a")
    assert first.view == {}


def test_a_list_of_many_pages_is_complete(
    cluster: SimulatedCluster, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(informer, "PAGE_SIZE", 2)
    for name in "abcde":
        write(cluster, name)

    watched.start()

    assert watched.names() == list("abcde")


@pytest.mark.parametrize(
    "fault", [ClusterFault(continued=True), ClusterFault("cut", verbs=frozenset({"list"}))]
)
def test_part_of_a_list_is_never_shown(
    cluster: SimulatedCluster, watched: Watched, monkeypatch: pytest.MonkeyPatch, fault: ClusterFault
) -> None:
    monkeypatch.setattr(informer, "PAGE_SIZE", 2)
    for name in "abc":
        write(cluster, name)
    cluster.faults.add(fault)

    watched.start()

    assert isinstance(watched.cache.read(), Unseen)
    cluster.faults.clear()
    eventually(lambda: isinstance(watched.cache.read(), Seen), "seen", 10)
    assert watched.names() == ["a", "b", "c"]


def test_an_ended_watch_is_resumed_without_a_list(cluster: SimulatedCluster, watched: Watched) -> None:
    watched.start()
    write(cluster, "a")
    watched.until("a")
    lists = cluster.request_counts["list", "configmaps"]

    cluster.drop_watches()
    write(cluster, "b")

    watched.until("a", "b")
    assert cluster.request_counts["list", "configmaps"] == lists


def test_a_compacted_version_is_listed_again(cluster: SimulatedCluster, watched: Watched) -> None:
    write(cluster, "a")
    watched.start()
    lists = cluster.request_counts["list", "configmaps"]
    erase(cluster, "a")
    write(cluster, "b")

    cluster.forget_history()

    watched.until("b")
    eventually(lambda: cluster.request_counts["list", "configmaps"] == lists + 1, "one more list", 10)


def test_bookmarks_advance_a_quiet_watch(cluster: SimulatedCluster, watched: Watched) -> None:
    watched.start()
    cluster.writes.create(
        Target(BY_NAME["Secret"], "default"), {"metadata": {"name": "s"}}, WriteRequest("us")
    )
    lists = cluster.request_counts["list", "configmaps"]
    time.sleep(1.3)

    cluster.forget_history()
    time.sleep(0.5)

    assert cluster.request_counts["list", "configmaps"] <= lists + 1
    write(cluster, "a")
    watched.until("a")


def test_only_a_long_break_is_unseen(cluster: SimulatedCluster, watched: Watched) -> None:
    write(cluster, "a")
    watched.start()
    cluster.faults.add(ClusterFault(status=401))
    cluster.drop_watches()
    assert watched.names() == ["a"]

    why = watched.until_unseen()

    assert "401" in why
    assert "refresh the kubeconfig" in why
    cluster.faults.clear()
    eventually(lambda: isinstance(watched.cache.read(), Seen), "seen again", 15)
    assert watched.names() == ["a"]


def test_an_unreachable_cluster_is_unseen(cluster: SimulatedCluster, watched: Watched) -> None:
    watched.start()
    cluster.close()

    why = watched.until_unseen()

    assert "see that its API server runs" in why


def test_a_response_that_is_no_list_is_unseen(client: ApiClient) -> None:
    watched = Watched(client, "/version").start()
    try:
        assert "unreadable response" in watched.until_unseen()
    finally:
        watched.cache.close()


def test_a_stalled_watch_is_closed(
    cluster: SimulatedCluster, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(informer, "WATCH_IDLE_MAX_SECONDS", 0.3)
    watched.start()

    assert eventually(lambda: cluster.request_counts["watch", "configmaps"] > 2, "another watch", 10)


def test_a_stalled_watch_is_listed_again(
    cluster: SimulatedCluster, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(informer, "WATCH_IDLE_MAX_SECONDS", 0.5)
    cluster.faults.add(ClusterFault("mute", verbs=frozenset({"watch"})))
    watched.start()

    for names in ("a", "ab", "abc"):
        write(cluster, names[-1])
        watched.until(*names)
    erase(cluster, "b")
    watched.until("a", "c")


def answer(cluster: SimulatedCluster, name: str, *, later: int = 0) -> bytes:
    """A ConfigMap as a write returns it."""
    (found,) = (each for each in cluster.objects("configmaps") if each["metadata"]["name"] == name)
    version = str(int(found["metadata"]["resourceVersion"]) + later)
    return json.dumps({**found, "metadata": {**found["metadata"], "resourceVersion": version}}).encode()


def test_a_write_is_seen_before_its_watch_event(cluster: SimulatedCluster, watched: Watched) -> None:
    cluster.faults.add(ClusterFault("mute", verbs=frozenset({"watch"})))
    watched.start()
    wakes = watched.wakes
    write(cluster, "a")

    watched.cache.record_write(answer(cluster, "a"))

    assert watched.names() == ["a"]
    assert watched.wakes == wakes + 1


def test_a_write_older_than_the_watch_is_ignored(cluster: SimulatedCluster, watched: Watched) -> None:
    watched.start()
    write(cluster, "a")
    late = answer(cluster, "a")
    erase(cluster, "a")
    write(cluster, "b")
    watched.until("b")

    watched.cache.record_write(late)

    assert watched.names() == ["b"]


def test_an_older_event_or_list_does_not_undo_a_write(
    cluster: SimulatedCluster, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.start()
    write(cluster, "a")
    watched.until("a")
    written = answer(cluster, "a", later=1000) + b" "
    watched.cache.record_write(written)

    def shown() -> int | None:
        reading = watched.cache.read()
        assert isinstance(reading, Seen)
        return reading.view.get("default/a")

    erase(cluster, "a")
    write(cluster, "b")
    watched.until("a", "b")
    assert shown() == len(written)
    cluster.forget_history()
    lists = cluster.request_counts["list", "configmaps"]
    cluster.drop_watches()
    eventually(lambda: cluster.request_counts["list", "configmaps"] > lists or watched.names(), "a list", 10)
    assert shown() == len(written)


def test_a_persistent_break_is_logged_once(
    cluster: SimulatedCluster, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.start()
    cluster.drop_watches()
    write(cluster, "a")
    watched.until("a")
    assert caplog.messages == []

    cluster.faults.add(ClusterFault(status=401))
    cluster.drop_watches()
    asked = cluster.request_counts["watch", "configmaps"]
    eventually(lambda: cluster.request_counts["watch", "configmaps"] > asked + 3, "some more attempts", 15)

    (message,) = caplog.messages
    assert message.startswith("adapter kubernetes: AuthFailure: the cluster at http://127.0.0.1")
    watched.cache.stale_seconds = 0
    seen = watched.cache.read()
    assert isinstance(seen, Unseen)
    assert (seen.reason, seen.why) == (
        "AuthFailure",
        message.removeprefix("adapter kubernetes: AuthFailure: "),
    )


def test_closing_is_fast_and_logs_nothing(
    cluster: SimulatedCluster, client: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(client).start()
    eventually(lambda: cluster.request_counts["watch", "configmaps"], "the watch", 10)
    began = time.monotonic()

    watched.cache.close()

    assert time.monotonic() - began < 1
    assert caplog.records == []


def test_a_wrong_server_is_named(tmp_path: Path) -> None:
    text = SimulatedCluster().kubeconfig().replace('server: ""', 'server: "http://127.0.0.1:1"')
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    watched = Watched(ApiClient(Kubeconfig(path))).start()
    try:
        assert "http://127.0.0.1:1" in watched.until_unseen()
    finally:
        watched.cache.close()


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, AttributeError])
def test_an_object_that_fails_to_decode_does_not_end_the_thread(
    cluster: SimulatedCluster, client: ApiClient, error: type[Exception]
) -> None:
    odd = [True]

    def view(raw: bytes) -> int:
        if odd:
            raise error("odd")
        return len(raw)

    watched = Watched(client)
    watched.cache._view = view
    write(cluster, "a")
    watched.start()
    assert "odd" in watched.until_unseen()
    odd.clear()
    eventually(lambda: isinstance(watched.cache.read(), Seen), "what is there", 15)
    watched.until("a")
    watched.cache.close()
