from __future__ import annotations

from reconciler.devnet.cluster import refusals
from reconciler.devnet.cluster.kinds import BY_NAME

DEPLOYMENT = BY_NAME["Deployment"]


def test_an_error_is_a_kubernetes_status() -> None:
    status = refusals.not_found(DEPLOYMENT, "web").status()

    assert (status["kind"], status["code"], status["reason"]) == ("Status", 404, "NotFound")
    assert status["message"] == 'deployments.apps "web" not found'
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_conflicts_differ_by_their_reason() -> None:
    assert refusals.already_exists(DEPLOYMENT, "web").reason == "AlreadyExists"
    assert refusals.stale(DEPLOYMENT, "web").reason == "Conflict"


def test_an_invalid_field_is_named() -> None:
    refusal = refusals.invalid(DEPLOYMENT, "web", "spec.replicas", "Invalid value: -1")

    assert refusal.code == 422
    assert str(refusal) == 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1'
    assert refusal.status()["details"]["causes"][0]["field"] == "spec.replicas"
