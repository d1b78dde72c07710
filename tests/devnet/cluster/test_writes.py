from __future__ import annotations

import pytest

from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.writes import WriteRequest, scale_of
from tests.devnet.cluster.makers import US, Stepped, deployment_spec, pod_spec, target


def applied(stepped: Stepped, spec: Object, manager: str = "us", *, force: bool = False) -> Object:
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    return stepped.writes.apply(target("Deployment", "web"), body, WriteRequest(manager, force=force))[0]


def test_names_are_unique_and_namespaces_must_exist() -> None:
    stepped = Stepped()
    stepped.create("ConfigMap", "a")

    with pytest.raises(RefusalError, match="already exists"):
        stepped.create("ConfigMap", "a")
    with pytest.raises(RefusalError, match='namespaces "y" not found'):
        stepped.create("ConfigMap", "a", namespace="y")


def test_names_can_be_generated() -> None:
    stepped = Stepped()
    asked = target("ConfigMap", "")

    names = {
        stepped.writes.create(asked, {"metadata": {"generateName": "a-"}}, US)["metadata"]["name"]
        for _ in "123"
    }

    assert len(names) == 3
    assert all(name.startswith("a-") for name in names)


def test_an_update_from_an_old_version_is_refused() -> None:
    stepped = Stepped()
    old = stepped.create("ConfigMap", "a")
    new = stepped.writes.update(target("ConfigMap", "a"), lambda live: live | {"data": {"k": "v"}}, US)
    assert new["data"] == {"k": "v"}

    with pytest.raises(RefusalError, match="has been modified"):
        stepped.writes.update(target("ConfigMap", "a"), lambda live: old | {"data": {"k": "w"}}, US)


def test_an_update_that_changes_nothing_is_no_write() -> None:
    stepped = Stepped()
    before = stepped.create("ConfigMap", "a", data={"k": "v"})

    assert stepped.writes.update(target("ConfigMap", "a"), lambda live: {**live}, US) == before


def test_the_generation_counts_specifications() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec())
    stepped.writes.update(
        target("Deployment", "web"), lambda live: live | {"spec": live["spec"] | {"replicas": 2}}, US
    )
    labelled = lambda live: live | {"metadata": live["metadata"] | {"labels": {"a": "b"}}}  # noqa: E731  (one use)

    found = stepped.writes.update(target("Deployment", "web"), labelled, US)

    assert found["metadata"]["generation"] == 2


def test_apply_creates_then_changes_then_does_nothing() -> None:
    stepped = Stepped()

    first = applied(stepped, deployment_spec(1))
    again = applied(stepped, deployment_spec(1))
    third = applied(stepped, deployment_spec(2))

    assert again == first
    assert third["spec"]["replicas"] == 2
    assert third["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_force_overrides_a_conflict_with_another_manager() -> None:
    stepped = Stepped()
    applied(stepped, deployment_spec(1))
    stepped.writes.update(
        target("Deployment", "web", subresource="scale"),
        lambda live: live | {"spec": {"replicas": 5}},
        WriteRequest("kubectl"),
    )

    with pytest.raises(RefusalError, match=r"conflict with \"kubectl\".*\n- \.spec\.replicas") as refused:
        applied(stepped, deployment_spec(1))
    assert refused.value.code == 409

    assert applied(stepped, deployment_spec(1), force=True)["spec"]["replicas"] == 1
    assert applied(stepped, deployment_spec(1))["spec"]["replicas"] == 1


def test_a_field_no_longer_applied_goes_back_to_its_default() -> None:
    stepped = Stepped()
    applied(stepped, deployment_spec(1, strategy={"type": "Recreate"}, revisionHistoryLimit=2))

    found = applied(stepped, deployment_spec(1))

    assert found["spec"]["revisionHistoryLimit"] == 10
    assert found["spec"]["strategy"]["type"] == "RollingUpdate"


def test_a_dry_run_writes_nothing() -> None:
    stepped = Stepped()
    asked = WriteRequest("us", dry_run=True)

    stepped.writes.create(target("ConfigMap", "a"), {"metadata": {"name": "a"}}, asked)

    assert stepped.all("ConfigMap") == []
    kept = stepped.create("ConfigMap", "b")
    stepped.writes.delete(target("ConfigMap", "b"), {}, asked)
    assert stepped.get("ConfigMap", "b") == kept


def test_a_delete_has_preconditions() -> None:
    stepped = Stepped()
    stepped.create("ConfigMap", "a")

    with pytest.raises(RefusalError):
        stepped.delete("ConfigMap", "a", preconditions={"uid": "another"})
    stepped.delete("ConfigMap", "a")
    with pytest.raises(RefusalError, match="not found"):
        stepped.delete("ConfigMap", "a")


def test_a_finalizer_delays_removal() -> None:
    stepped = Stepped()
    stepped.create("ConfigMap", "a")

    def put(live: Object, names: list[str]) -> Object:
        return live | {"metadata": live["metadata"] | {"finalizers": names}}

    stepped.writes.update(target("ConfigMap", "a"), lambda live: put(live, ["x/y"]), US)

    stepped.delete("ConfigMap", "a")
    assert stepped.get("ConfigMap", "a")["metadata"]["deletionTimestamp"]
    stepped.writes.update(target("ConfigMap", "a"), lambda live: put(live, []), US)

    assert stepped.all("ConfigMap") == []


def test_a_pod_over_the_quota_is_forbidden() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": {"pods": "1"}})
    stepped.create("Pod", "p", spec=pod_spec())

    with pytest.raises(RefusalError, match="exceeded quota") as refused:
        stepped.create("Pod", "p2", spec=pod_spec())
    assert refused.value.code == 403


def test_scale_shows_replicas_and_selector() -> None:
    stepped = Stepped()
    found = stepped.create("Deployment", "web", spec=deployment_spec(3))

    scale = scale_of(found)

    assert (scale["spec"]["replicas"], scale["status"]["selector"]) == (3, "app=web")
