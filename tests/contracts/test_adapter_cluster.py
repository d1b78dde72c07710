"""What the Adapter port promises of clusters alone: a quota that is an object, fields of others, versions."""

from __future__ import annotations

import pytest

from reconciler.values.outcomes import Done
from tests.contracts.adapter_worlds import GIVEN, World, eventually, workload


def test_preparing_again_writes_nothing_and_changes_nothing(cluster: World) -> None:
    eventually(lambda: cluster.capacity().quota == GIVEN, "the quota in force")
    before = cluster.get("resourcequota", "provider-capacity")["metadata"]["resourceVersion"]

    assert isinstance(cluster.adapter.prepare(GIVEN), Done)

    assert cluster.get("resourcequota", "provider-capacity")["metadata"]["resourceVersion"] == before


def test_a_quota_that_somebody_changed_is_set_again(cluster: World) -> None:
    patch = '{"spec":{"hard":{"requests.cpu":"1"}}}'
    cluster.kubectl("patch", "resourcequota", "provider-capacity", "--type=merge", "-p", patch)
    eventually(lambda: cluster.capacity().quota != GIVEN, "the changed quota")

    assert isinstance(cluster.adapter.prepare(GIVEN), Done)

    eventually(lambda: cluster.capacity().quota == GIVEN, "our quota again")


def test_what_others_add_is_theirs(cluster: World) -> None:
    wanted = workload(165)
    cluster.adapter.apply(wanted, "d")
    cluster.until(wanted.id, lambda r: r.ready, "ready")

    cluster.kubectl("annotate", f"deployment/web-{wanted.id}", "team=blue")
    cluster.adapter.apply(wanted, "d")

    assert not cluster.until(wanted.id, lambda r: r.ready, "ready").drifted
    notes = cluster.get("deployment", f"web-{wanted.id}")["metadata"]["annotations"]
    assert notes["team"] == "blue"


def test_a_forgotten_version_is_listed_again(cluster: World) -> None:
    if cluster.forget is None:
        pytest.skip("this cluster has no restart-apiserver beside its kubeconfig")
    wanted = workload(176)
    cluster.adapter.apply(wanted, "before")
    cluster.until(wanted.id, lambda r: r.ready, "ready")

    cluster.forget()

    cluster.adapter.apply(wanted, "after")
    cluster.until(wanted.id, lambda r: r.digest == "after" and r.ready, "the change after it")
    cluster.adapter.remove(wanted.id)
    cluster.until_gone(wanted.id)
