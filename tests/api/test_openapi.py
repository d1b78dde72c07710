"""The API matches its OpenAPI document for any request, and never fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.api.startup import Started
from tests.api.fake_sources import serve
from tests.api.fuzzing import Operation, Request, fault, fitting, operations, requests, send
from tests.api.http_client import http_request
from tests.api.snapshots import FAILING, HEALTHY

KNOWN: dict[str, list[str]] = {
    "id": [HEALTHY.id, FAILING.id],
    "owner": ["ve1tenant"],
    "dseq": ["1000001", "1000004"],
}
ENDLESS = "/api/v1/stream"

PATHS = {
    "/api/v1/status",
    "/api/v1/bid-engine/status",
    "/api/v1/workloads",
    "/api/v1/workloads/{id}",
    "/api/v1/workloads/{id}/logs",
    "/api/v1/workloads/{id}/metrics",
    "/api/v1/workloads/{id}/events",
    "/api/v1/workloads/{id}/explain",
    "/api/v1/holds",
    "/api/v1/leases",
    "/api/v1/bids",
    "/api/v1/orders/{owner}/{dseq}/{gseq}/{oseq}/decision",
    "/api/v1/plan",
    "/api/v1/journal",
    "/api/v1/ledger",
    "/api/v1/overview",
    "/api/v1/reconcile",
    ENDLESS,
    "/hooks/git",
    "/healthz",
    "/readyz",
}


@pytest.fixture(scope="module")
def served() -> Iterator[Started]:
    started = serve()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def document(served: Started) -> dict[str, Any]:
    found: dict[str, Any] = http_request(served.ports.api, "/openapi.json").tree
    return found


def test_every_route_is_in_the_document(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == PATHS
    assert document["openapi"] == "3.1.0"


def test_every_route_is_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    documented = set(re.findall(r"`(?:GET|POST) (/[^`?]*)`", text))
    assert documented == PATHS | {"/", "/openapi.json"}


def test_names_are_distinct_and_references_resolve(document: dict[str, Any]) -> None:
    names = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(set(names)) == len(names)
    for name in re.findall(r"'#/components/schemas/([^']+)'", str(document)):
        assert name in document["components"]["schemas"]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "description" in schema


def test_every_field_of_a_response_is_required(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert set(schema.get("required", ())) == set(schema.get("properties", ())), name


@pytest.mark.parametrize("path", sorted(PATHS - {ENDLESS}))
def test_responses_match_their_schemas(served: Started, document: dict[str, Any], path: str) -> None:
    for operation in operations({"paths": {path: document["paths"][path]}}):
        _fuzz(served, document, operation)


@pytest.mark.parametrize("path", sorted(PATHS - {ENDLESS}))
def test_valid_requests_are_not_refused(served: Started, document: dict[str, Any], path: str) -> None:
    [operation] = operations({"paths": {path: document["paths"][path]}})

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(request=fitting(operation))
    def run(request: Request) -> None:
        response = send(served.ports.api, request)
        assert not fault(document, operation, response), request
        assert response.code != 400, (request, response.body)

    run()


def _fuzz(served: Started, document: dict[str, Any], operation: Operation) -> None:
    answered: set[int] = set()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        request = data.draw(requests(operation, KNOWN))
        response = send(served.ports.api, request)
        found = fault(document, operation, response)
        assert not found, f"{request}: {found}"
        answered.add(response.code)

    run()
    assert answered - {400, 403, 404} or operation.path == "/hooks/git", "nothing good was ever asked"
