from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from reconciler.devnet.cluster.kinds import BY_NAME, Target
from reconciler.devnet.cluster.reads import ClusterReads, ReadForm, wanted_form
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.selectors import selector
from tests.devnet.cluster.makers import NOW, Stepped

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
CONFIGS = Target(BY_NAME["ConfigMap"], "x")


@pytest.mark.parametrize(
    ("accept", "query", "form"),
    [
        (TABLE, "", ReadForm("Table")),
        (TABLE, "?includeObject=Object", ReadForm("Table", whole=True)),
        ("application/json", "", ReadForm()),
        ("*/*", "", ReadForm()),
        ("application/vnd.kubernetes.protobuf,application/json", "", ReadForm()),
        (
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
            "",
            ReadForm(),
        ),
    ],
)
def test_the_accept_header_names_the_form(accept: str, query: str, form: ReadForm) -> None:
    assert wanted_form(make_mocked_request("GET", f"/{query}", headers={"Accept": accept})) == form


def test_lists_at_one_version_have_tokens_of_their_own() -> None:
    stepped = Stepped()
    for name in "abc":
        stepped.create("ConfigMap", name)
    reads = ClusterReads(stepped.cluster.store, lambda: NOW)
    tokens = [reads.page(CONFIGS, {"limit": "2"}, ReadForm())["metadata"]["continue"] for _ in "12"]

    for token in (*tokens, tokens[0]):
        page = reads.page(CONFIGS, {"limit": "2", "continue": token}, ReadForm())
        assert [found["metadata"]["name"] for found in page["items"]] == ["c"]

    reads.forget_pages()
    with pytest.raises(RefusalError):
        reads.page(CONFIGS, {"continue": tokens[0]}, ReadForm())


def test_events_are_of_the_watched_kind_and_selection() -> None:
    stepped = Stepped()
    stepped.create("Secret", "other")
    stepped.create("ConfigMap", "a", data={"k": "v"})
    reads = ClusterReads(stepped.cluster.store, lambda: NOW)
    changes = stepped.cluster.store.since(0)

    seen = list(reads.events(BY_NAME["ConfigMap"], selector("", "metadata.name=a"), changes))

    assert [(event, found["metadata"]["name"]) for event, found in seen] == [("ADDED", "a")]
