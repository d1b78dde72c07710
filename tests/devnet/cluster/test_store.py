from __future__ import annotations

import json

import pytest

from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.store import ObjectKey, ObjectStore


def config(name: str, **meta: object) -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "x", "uid": f"u-{name}"} | meta}


KEY = ObjectKey("configmaps", "x", "a")


def test_each_write_raises_the_one_version() -> None:
    store = ObjectStore()

    versions = [store.put(config(name))["metadata"]["resourceVersion"] for name in "aba"]

    assert versions == ["1", "2", "3"]
    assert [found["metadata"]["name"] for found in store.all("configmaps", "x")] == ["a", "b"]
    assert store.all("configmaps", "y") == []


def test_changes_hold_before_and_after() -> None:
    store = ObjectStore()
    first = store.put(config("a"))
    second = store.put(config("a", labels={"x": "y"}))
    store.remove(KEY)

    added, changed, removed = store.since(0)

    assert (added.before, added.after) == (None, first)
    assert (changed.before, changed.after) == (first, second)
    assert removed.after is None
    assert removed.latest["metadata"]["resourceVersion"] == "3"
    assert store.since(2) == [removed]
    assert store.since(3) == []


def test_changes_are_kept_within_a_window() -> None:
    store = ObjectStore(window=2)
    for name in "abc":
        store.put(config(name))

    assert [change.key.name for change in store.since(1)] == ["b", "c"]
    with pytest.raises(RefusalError) as refused:
        store.since(0)
    assert refused.value.code == 410


def test_dropped_history_is_410_even_at_the_present_version() -> None:
    store = ObjectStore()
    store.put(config("a"))
    store.forget()

    with pytest.raises(RefusalError):
        store.since(1)
    assert store.since(store.version) == []


def test_owned_objects_are_found_until_they_are_disowned() -> None:
    store = ObjectStore()
    store.put(config("a", ownerReferences=[{"uid": "o"}]))
    assert [found["metadata"]["name"] for found in store.owned_by("o")] == ["a"]

    store.put(config("a"))

    assert store.owned_by("o") == []


def test_a_dump_restores_everything_except_past_changes() -> None:
    store, again = ObjectStore(), ObjectStore()
    store.put(config("a", ownerReferences=[{"uid": "o"}]))

    again.restore(json.loads(json.dumps(store.dump())))

    assert again.get(KEY) == store.get(KEY)
    assert again.owned_by("o") == store.owned_by("o")
    assert again.put(config("b"))["metadata"]["resourceVersion"] == "2"
    with pytest.raises(RefusalError):
        again.since(0)


def test_listeners_are_called_until_they_unsubscribe() -> None:
    store, heard = ObjectStore(), list[int]()
    listener = lambda: heard.append(store.version)  # noqa: E731  (subscribed and unsubscribed by identity)
    store.subscribe(listener)
    store.put(config("a"))
    store.unsubscribe(listener)
    store.put(config("b"))

    assert heard == [1]
