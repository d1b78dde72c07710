from __future__ import annotations

import json

import pytest

from reconciler.adapters.kubernetes.api_errors import ApiError, advice_of, error_from, outcome_of
from reconciler.values.outcomes import Failed, Refused


@pytest.mark.parametrize(
    ("status", "message", "kind", "reason"),
    [
        (0, "no answer", Failed, "Unreachable"),
        (400, "bad", Refused, "Invalid"),
        (401, "Unauthorized", Failed, "AuthFailure"),
        (403, "pods is forbidden: exceeded quota: q", Failed, "QuotaExceeded"),
        (403, "cannot patch resource", Failed, "Forbidden"),
        (403, "because it is being terminated", Failed, "NamespaceTerminating"),
        (404, "namespaces not found", Failed, "NotFound"),
        (409, "conflict", Failed, "Conflict"),
        (422, "Invalid value", Refused, "Invalid"),
        (429, "slow down", Failed, "ClusterError"),
        (500, "etcd", Failed, "ClusterError"),
        (503, "away", Failed, "ClusterError"),
    ],
)
def test_an_error_is_permanent_or_temporary(status: int, message: str, kind: type, reason: str) -> None:
    outcome = outcome_of(ApiError(status, message))

    assert isinstance(outcome, kind)
    assert isinstance(outcome, Refused | Failed)
    assert (outcome.reason, outcome.why) == (reason, message)


@pytest.mark.parametrize(
    ("status", "message", "word"),
    [
        (0, "", "cluster-info"),
        (401, "", "kubeconfig"),
        (403, "exceeded quota", "quotas"),
        (403, "", "permission"),
    ],
)
def test_errors_have_advice(status: int, message: str, word: str) -> None:
    assert word in advice_of(ApiError(status, message))
    assert word in ApiError(status, message).sentence("https://k")


def test_only_failed_authentication_has_a_reason() -> None:
    reasons = [ApiError(status, "").unseen_reason for status in (0, 401, 403, 500)]
    assert reasons == ["", "AuthFailure", "", ""]


def test_a_status_is_decoded() -> None:
    body = {"code": 422, "reason": "Invalid", "message": "no", "details": {"causes": [{"field": "a"}]}}
    error = error_from(422, json.dumps(body).encode())
    assert (error.status, str(error)) == (422, "answered 422: no")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"\xff\xfe", b"[]"])
def test_a_response_without_a_status_is_shown_as_text(body: bytes) -> None:
    assert str(error_from(502, body)).startswith("answered 502: ")


def test_only_410_requires_a_new_list() -> None:
    assert ApiError(410, "").is_gone
    assert not ApiError(404, "").is_gone
