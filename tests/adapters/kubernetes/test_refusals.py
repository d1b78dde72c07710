from __future__ import annotations

import json

import pytest

from reconciler.adapters.kubernetes.refusals import ApiError, advice_of, error_from, outcome_of
from reconciler.values.outcomes import Failed, Refused


@pytest.mark.parametrize(
    ("status", "message", "kind", "reason"),
    [
        (0, "no answer", Failed, "Unreachable"),
        (400, "bad", Refused, "Invalid"),
        (401, "Unauthorized", Failed, "AuthFailure"),
        (403, "pods is forbidden: exceeded quota: q", Refused, "QuotaExceeded"),
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
def test_an_answer_means_never_or_not_now(status: int, message: str, kind: type, reason: str) -> None:
    outcome = outcome_of(ApiError(status, message))

    assert isinstance(outcome, kind)
    assert isinstance(outcome, Refused | Failed)
    assert (outcome.reason, outcome.why) == (reason, message)


@pytest.mark.parametrize(
    ("status", "message", "word"),
    [(0, "", "cluster-info"), (401, "", "kubeconfig"), (403, "exceeded quota", "quotas"), (403, "", "right")],
)
def test_an_operator_is_told_what_to_do(status: int, message: str, word: str) -> None:
    assert word in advice_of(ApiError(status, message))
    assert word in ApiError(status, message).sentence("https://k")


def test_the_operators_word_is_that_of_what_refuses_us() -> None:
    assert [ApiError(status, "").word for status in (0, 401, 403, 500)] == ["", "AuthFailure", "", ""]


def test_a_status_is_read_with_its_causes() -> None:
    body = {
        "code": 422,
        "reason": "Invalid",
        "message": "no",
        "details": {"causes": [{"field": "a", "message": "b"}]},
    }

    error = error_from(422, json.dumps(body).encode())

    assert (error.status, error.reason, error.causes, str(error)) == (
        422,
        "Invalid",
        ("a: b",),
        "answered 422: no",
    )


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"\xff\xfe", b"[]"])
def test_what_is_no_status_is_shown_as_it_is(body: bytes) -> None:
    assert str(error_from(502, body)).startswith("answered 502: ")


def test_only_410_asks_to_list_again() -> None:
    assert ApiError(410, "").gone
    assert not ApiError(404, "").gone
