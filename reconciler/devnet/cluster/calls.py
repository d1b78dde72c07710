"""One decoded request, and its execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.devnet.cluster.kinds import Object, Target
from reconciler.devnet.cluster.merging import json_patch, merge_patch, strategic_patch
from reconciler.devnet.cluster.reads import ClusterReads, ReadForm
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.writes import WriteRequest, Writes, scale_of

APPLY = "application/apply-patch+yaml"
_PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_patch,
    "application/json-patch+json": json_patch,
}


@dataclass(frozen=True, slots=True)
class ClusterCall:
    """A verb on a target, with its query and body; `content` is the body's media type."""

    verb: str
    target: Target
    query: Mapping[str, str]
    body: Any
    content: str

    @property
    def options(self) -> WriteRequest:
        """The options of a write."""
        body = self.body if self.verb.startswith("delete") and self.body else {}
        dry_run = "dryRun" in self.query or bool(body.get("dryRun"))
        return WriteRequest(self.query["fieldManager"], dry_run, self.query.get("force") == "true")

    def sent(self) -> Object:
        """The body as an object that fits the target; 400 where it does not."""
        target, body = self.target, self.body
        if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
            raise RefusalError(400, "the body is not an object")
        meta, kind = body.get("metadata", {}), "Scale" if target.subresource == "scale" else target.kind.name
        if body.get("kind", kind) != kind:
            raise RefusalError(400, f"the object provided is a {body['kind']}, not a {kind}")
        if meta.get("namespace", target.namespace) != target.namespace:
            why = "the namespace of the provided object does not match the namespace sent on the request"
            raise RefusalError(400, why)
        if target.name and meta.get("name", target.name) != target.name:
            raise RefusalError(400, "the name of the object does not match the name on the URL")
        return body | {"metadata": meta | ({"name": target.name} if target.name else {})}


class ClusterCalls:
    """Executes calls."""

    def __init__(self, writes: Writes, reads: ClusterReads) -> None:
        self._writes = writes
        self._reads = reads

    def do(self, call: ClusterCall) -> tuple[int, Object]:
        """The answer's status and object; a malformed body is refused with 422."""
        try:
            return self._do(call)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise RefusalError(422, f"the object is not of its kind's form: {error!r}") from error

    def _do(self, call: ClusterCall) -> tuple[int, Object]:
        target, options = call.target, call.options
        match call.verb:
            case "get":
                found = self._writes.must_get(target)
                return 200, scale_of(found) if target.subresource == "scale" else found
            case "create":
                return 201, self._writes.create(target, call.sent(), options)
            case "update":
                return 200, self._writes.update(target, lambda live: call.sent(), options)
            case "patch" if call.content == APPLY:
                found, created = self._writes.apply(target, call.sent(), options)
                return 201 if created else 200, found
            case "patch" if call.content in _PATCHES:
                patch = _PATCHES[call.content]
                return 200, self._writes.update(target, lambda live: patch(live, call.body), options)
            case "patch":
                raise RefusalError(415, f"the body of the request was in an unknown format - {call.content}")
            case "delete":
                return 200, self._writes.delete(target, call.body or {}, options)
            case "deletecollection":
                return 200, self._delete_all(call)
            case verb:
                why = f"the server does not allow this method on the requested resource: {verb}"
                raise RefusalError(405, why)

    def _delete_all(self, call: ClusterCall) -> Object:
        listed = self._reads.page(call.target, call.query, ReadForm())
        for found in listed["items"]:
            meta = found["metadata"]
            each = Target(call.target.kind, meta.get("namespace", ""), meta["name"])
            self._writes.delete(each, call.body or {}, call.options)
        return listed
