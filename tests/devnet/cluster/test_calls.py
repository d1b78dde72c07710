from __future__ import annotations

from typing import Any

import pytest

from reconciler.devnet.cluster.calls import APPLY, ClusterCall, ClusterCalls
from reconciler.devnet.cluster.reads import ClusterReads
from reconciler.devnet.cluster.refusals import RefusalError
from tests.devnet.cluster.makers import NOW, Stepped, target

QUERY = {"fieldManager": "us"}


def call(verb: str, body: Any, content: str = "application/json", **query: str) -> ClusterCall:
    return ClusterCall(verb, target("Deployment", "web"), QUERY | query, body, content)


@pytest.fixture
def calls() -> ClusterCalls:
    stepped = Stepped()
    return ClusterCalls(stepped.writes, ClusterReads(stepped.cluster.store, lambda: NOW))


def test_write_options_of_a_call() -> None:
    assert not call("create", {}).options.dry_run
    assert call("create", {}, dryRun="All").options.dry_run
    assert call("delete", {"dryRun": ["All"]}).options.dry_run
    assert call("patch", {}, force="true").options.force


@pytest.mark.parametrize("body", [{}, {"spec": None}, {"spec": {"template": 3}}, {"spec": {"selector": []}}])
@pytest.mark.parametrize(("verb", "content"), [("create", "application/json"), ("patch", APPLY)])
def test_a_malformed_body_is_refused(calls: ClusterCalls, verb: str, content: str, body: Any) -> None:
    with pytest.raises(RefusalError) as refused:
        calls.do(call(verb, body, content))
    assert refused.value.code == 422


@pytest.mark.parametrize(
    "body",
    [[], {"kind": "Pod"}, {"metadata": {"namespace": "y"}}, {"metadata": {"name": "db"}}, {"metadata": 3}],
)
def test_a_body_for_another_target_is_refused(body: Any) -> None:
    with pytest.raises(RefusalError) as refused:
        call("create", body).sent()
    assert refused.value.code == 400
