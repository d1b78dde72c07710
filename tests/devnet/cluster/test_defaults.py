from __future__ import annotations

import pytest

from reconciler.devnet.cluster.defaults import defaulted, normalized, validate
from reconciler.devnet.cluster.kinds import BY_NAME, Object
from reconciler.devnet.cluster.refusals import RefusalError
from tests.devnet.cluster.makers import deployment_spec


def deployment(**changes: object) -> Object:
    found = {"metadata": {"name": "web"}, "spec": deployment_spec() | changes}
    return defaulted(BY_NAME["Deployment"], found)


def test_a_server_adds_fields() -> None:
    spec = deployment()["spec"]

    assert spec["strategy"]["type"] == "RollingUpdate"
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Always"
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "256Mi"}


def test_quantities_are_canonical() -> None:
    found = normalized({"limits": {"cpu": "1000m", "memory": "1024Mi"}, "x": None, "hard": {"pods": 20}})

    assert found == {"limits": {"cpu": "1", "memory": "1Gi"}, "hard": {"pods": "20"}}


def test_a_secret_holds_its_text_in_base64() -> None:
    found = defaulted(BY_NAME["Secret"], {"metadata": {"name": "s"}, "stringData": {"a": "b"}})

    assert found == {"type": "Opaque", "metadata": {"name": "s"}, "data": {"a": "Yg=="}}


def test_a_service_gets_an_address_and_a_public_one_a_port() -> None:
    spec = {"type": "NodePort", "ports": [{"port": 80}]}

    found = defaulted(BY_NAME["Service"], {"metadata": {"name": "web"}, "spec": spec})["spec"]

    assert found["clusterIP"].startswith("10.96.")
    assert found["ports"][0]["targetPort"] == 80
    assert 30_000 <= found["ports"][0]["nodePort"] < 32_768


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"selector": {"matchLabels": {"app": "db"}}}, "template.metadata.labels"),
        ({"replicas": -1}, "spec.replicas"),
        ({"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}}, "containers"),
    ],
)
def test_an_invalid_deployment_is_refused(changes: Object, field: str) -> None:
    with pytest.raises(RefusalError, match=field) as refused:
        validate(BY_NAME["Deployment"], deployment(**changes), None)
    assert refused.value.code == 422


def test_a_selector_is_immutable() -> None:
    other = deployment()
    other["spec"]["selector"] = {"matchLabels": {"app": "old"}}

    with pytest.raises(RefusalError, match="immutable"):
        validate(BY_NAME["Deployment"], deployment(), other)


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        ("Service", "1web", {"ports": [{"port": 1}]}),
        ("ConfigMap", "Web", {}),
        ("Service", "web", {"ports": [{"port": 0}]}),
    ],
)
def test_bad_names_and_ports_are_refused(kind: str, name: str, spec: Object) -> None:
    with pytest.raises(RefusalError):
        validate(BY_NAME[kind], {"metadata": {"name": name}, "spec": spec}, None)


def test_a_label_may_be_63_characters() -> None:
    validate(BY_NAME["ConfigMap"], {"metadata": {"name": "a", "labels": {"a": "x" * 63}}}, None)
    with pytest.raises(RefusalError, match="63"):
        validate(BY_NAME["ConfigMap"], {"metadata": {"name": "a", "labels": {"a": "x" * 64}}}, None)
