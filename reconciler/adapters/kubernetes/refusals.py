"""What an API server's refusal means for an action: never as asked, or not this time; pure."""

from __future__ import annotations

import msgspec

from reconciler.adapters.kubernetes import objects
from reconciler.documents.typed_json import decode_json
from reconciler.values.outcomes import Failed, Outcome, Refused
from reconciler.values.text import SENTENCE_MAX, one_line

BODY_SHOWN_MAX = 300
REASON_MAX = 100
CAUSES_MAX = 10
AUTH_FAILURE = "AuthFailure"


class ApiError(Exception):
    """A request that brought no object: `status` is 0 where there was no answer at all."""

    def __init__(self, status: int, message: str, reason: str = "", causes: tuple[str, ...] = ()) -> None:
        super().__init__(one_line(message, SENTENCE_MAX))
        self.status = status
        self.reason = one_line(reason, REASON_MAX)
        self.causes = tuple(one_line(cause) for cause in causes[:CAUSES_MAX])

    @property
    def gone(self) -> bool:
        """The version asked for is forgotten: list again."""
        return self.status == 410

    @property
    def word(self) -> str:
        """The operator's word for it; "" where there is none."""
        return AUTH_FAILURE if self.status == 401 else ""

    def sentence(self, server: str) -> str:
        """What failed, and what to do."""
        advice = advice_of(self)
        return f"the cluster at {server}: {self}" + (f"; {advice}" if advice else "")


def error_from(status: int, body: bytes) -> ApiError:
    """An answer that is not a success, decoded as far as it can be."""
    try:
        said = decode_json(body, objects.ApiStatus)
    except msgspec.DecodeError:
        shown = body[:BODY_SHOWN_MAX].decode(errors="replace").strip()
        return ApiError(status, f"answered {status}: {shown or 'nothing'}")
    causes = said.details.causes if said.details else None
    named = tuple(f"{cause.field}: {cause.message}" for cause in causes or ())
    return ApiError(status, f"answered {status}: {said.message or said.reason}", said.reason, named)


def advice_of(error: ApiError) -> str:
    """What an operator can do about it."""
    match error.status:
        case 0:
            return "see that its API server runs and can be reached: kubectl cluster-info"
        case 401:
            return "refresh the kubeconfig that the host file names"
        case 403 if "exceeded quota" in str(error):
            return "increase quotas, or free what other workloads hold"
        case 403:
            return "grant the user of the host file's kubeconfig this right"
        case status if status >= 500:
            return "it is asked again; see what its API server lacks: kubectl get --raw '/readyz?verbose'"
        case _:
            return ""


def outcome_of(error: ApiError) -> Outcome:
    """The outcome of an action that the server did not do."""
    why, advice = str(error), advice_of(error)
    match error.status:
        case 403 if "exceeded quota" in why:
            return Refused("QuotaExceeded", why, advice)
        case 400 | 413 | 415 | 422:
            return Refused("Invalid", why, "correct the workload's file; the cluster takes nothing like it")
        case 401:
            return Failed(AUTH_FAILURE, why, advice)
        case 403 if "being terminated" in why:
            return Failed("NamespaceTerminating", why, "wait until the namespace is gone; it is made again")
        case 403:
            return Failed("Forbidden", why, advice)
        case 404:
            return Failed("NotFound", why, "the namespace is made again in the next cycle")
        case 409:
            return Failed("Conflict", why)
        case 0:
            return Failed("Unreachable", why, advice)
        case _:
            return Failed("ClusterError", why)
