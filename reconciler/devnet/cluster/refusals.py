"""Errors of the simulated API server, as Status objects."""

from __future__ import annotations

from typing import Any

from reconciler.devnet.cluster.kinds import Object, ObjectKind

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class RefusalError(Exception):
    """A request that is answered with a Status of failure."""

    def __init__(
        self, code: int, message: str, reason: str = "", details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or REASONS.get(code, "")
        self.details = details

    def status(self) -> Object:
        """The body of the answer."""
        body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body |= {"message": str(self), "reason": self.reason, "code": self.code}
        if self.details:
            body["details"] = self.details
        return body


def not_found(kind: ObjectKind, name: str) -> RefusalError:
    """The object is not there."""
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return RefusalError(404, f'{kind.qualified} "{name}" not found', details=details)


def already_exists(kind: ObjectKind, name: str) -> RefusalError:
    """An object of that name is there."""
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return RefusalError(409, f'{kind.qualified} "{name}" already exists', "AlreadyExists", details)


def stale(kind: ObjectKind, name: str) -> RefusalError:
    """The write is based on an older version of the object."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return RefusalError(409, f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}')


def invalid(kind: ObjectKind, name: str, field: str, why: str) -> RefusalError:
    """A field has an invalid value."""
    cause = {"reason": "FieldValueInvalid", "message": why, "field": field}
    details = {"name": name, "group": kind.group, "kind": kind.name, "causes": [cause]}
    return RefusalError(
        422,
        f'{kind.name}{"." + kind.group if kind.group else ""} "{name}" is invalid: {field}: {why}',
        details=details,
    )


def forbidden(kind: ObjectKind, name: str, why: str) -> RefusalError:
    """Admission refuses the object."""
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return RefusalError(403, f'{kind.qualified} "{name}" is forbidden: {why}', details=details)


def expired(version: int, oldest: int) -> RefusalError:
    """The changes after that version are no longer known."""
    return RefusalError(410, f"too old resource version: {version} ({oldest})")
