"""Errors of an API server, with their advice, and the outcome of the action that failed; pure."""

from __future__ import annotations

import msgspec

from reconciler.adapters.kubernetes import objects
from reconciler.documents.typed_json import decode_json
from reconciler.values.outcomes import Failed, Outcome, Refused
from reconciler.values.text import SENTENCE_MAX, one_line

BODY_SHOWN_MAX = 300
AUTH_FAILURE = "AuthFailure"


class ApiError(Exception):
    """A request that failed; `status` is 0 if there was no response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(one_line(message, SENTENCE_MAX))
        self.status = status

    @property
    def is_gone(self) -> bool:
        """The requested resource version is compacted: list again."""
        return self.status == 410

    @property
    def unseen_reason(self) -> str:
        """The reason that a reading shows; "" if there is no special one."""
        return AUTH_FAILURE if self.status == 401 else ""

    def sentence(self, server: str) -> str:
        """What failed, and what to do."""
        advice = advice_of(self)
        return f"the cluster at {server}: {self}" + (f"; {advice}" if advice else "")


def error_from(status: int, body: bytes) -> ApiError:
    """The error of a response, decoded as far as possible."""
    try:
        found = decode_json(body, objects.ApiStatus)
    except msgspec.DecodeError:
        shown = body[:BODY_SHOWN_MAX].decode(errors="replace").strip()
        return ApiError(status, f"answered {status}: {shown or 'nothing'}")
    return ApiError(status, f"answered {status}: {found.message or found.reason}")


def advice_of(error: ApiError) -> str:
    """What an operator can do about it."""
    match error.status:
        case 0:
            return "see that its API server runs and is reachable: kubectl cluster-info"
        case 401:
            return "refresh the kubeconfig that the host file names"
        case 403 if "exceeded quota" in str(error):
            return "increase quotas, or free what other workloads hold"
        case 403:
            return "grant the user of the host file's kubeconfig this permission"
        case status if status >= 500:
            return "it is retried; see what its API server lacks: kubectl get --raw '/readyz?verbose'"
        case _:
            return ""


HOST_TAKEN = "is already defined in ingress"
"""Of the admission webhook of ingress-nginx."""


def outcome_of(error: ApiError) -> Outcome:
    """Refused if the same request can never succeed, else Failed."""
    why, advice = str(error), advice_of(error)
    match error.status:
        case 403 if "exceeded quota" in why:
            return Failed("QuotaExceeded", why, advice)
        case 400 | 403 | 422 if HOST_TAKEN in why:
            return Failed(
                "HostNameTaken", why, "remove the other Ingress, or the name from the workload's file"
            )
        case 400 | 413 | 415 | 422:
            return Refused("Invalid", why, "correct the workload's file; the cluster rejects it as it is")
        case 401:
            return Failed(AUTH_FAILURE, why, advice)
        case 403 if "being terminated" in why:
            return Failed("NamespaceTerminating", why, "wait until the namespace is gone; it is recreated")
        case 403:
            return Failed("Forbidden", why, advice)
        case 404:
            return Failed("NotFound", why, "the namespace is recreated in the next cycle")
        case 409:
            return Failed("Conflict", why)
        case 0:
            return Failed("Unreachable", why, advice)
        case _:
            return Failed("ClusterError", why)


class NameTakenError(Exception):
    """An object of that name exists and is not ours."""
