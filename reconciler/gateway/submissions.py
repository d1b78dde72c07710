"""What the listener hands over for a tenant, and the answers that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from reconciler.values.ids import DeploymentId, LeaseId

RETRY_SECONDS = 10
"""After which a tenant may try again, where the cause is ours and passes."""


class SubmissionMethod(StrEnum):
    """How the tenant proved to be the owner."""

    JWT = "jwt"
    CERTIFICATE = "certificate"
    SIGNED_REQUEST = "signed-request"


@dataclass(frozen=True, slots=True)
class Submission:
    """A manifest in the body of a request; its sender is known to be the deployment's owner, and permitted to
    send it.
    """

    deployment: DeploymentId
    body: bytes
    method: SubmissionMethod


@dataclass(frozen=True, slots=True)
class Receipt:
    """The manifest is accepted and on disk: it survives `kill -9`. `commit` holds it; an earlier one if the
    same manifest was accepted before.
    """

    manifest_hash: str
    commit: str


@dataclass(frozen=True, slots=True)
class SubmissionRefusal:
    """The manifest is not accepted. `text` is one line for the tenant; after `retry_after_seconds` (0: never)
    the same submission may be accepted.
    """

    status: HTTPStatus
    text: str
    retry_after_seconds: int = 0


class Submissions(Protocol):
    """Accepts manifests. All methods are callable from any thread."""

    def submit(self, submission: Submission) -> Receipt | SubmissionRefusal:
        """Check, seal and commit a manifest. Blocks, for up to 10 s while the deployment has no lease here.
        Idempotent: the same manifest again makes no commit.
        """

    def accepted_group(self, lease: LeaseId) -> str | None:
        """The group of a lease in the manifest last accepted, with its secrets, as the JSON array that
        `GET /lease/.../manifest` answers with; None if there is none. Raises SubmissionUnreadableError.
        """


class SubmissionUnreadableError(Exception):
    """An accepted manifest cannot be unsealed or read now; the text says why, for the operator."""
