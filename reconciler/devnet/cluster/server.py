"""The simulated API server's HTTP side: each request is decoded, struck by a fault or answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import yaml
from aiohttp import web

from reconciler.devnet.cluster import discovery
from reconciler.devnet.cluster.faults import Fault, Faults
from reconciler.devnet.cluster.kinds import Object, Target, parse_path
from reconciler.devnet.cluster.merging import json_patch, merge_patch, strategic_patch
from reconciler.devnet.cluster.reads import Form, Reads, wanted_form
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.streams import Streams
from reconciler.devnet.cluster.writes import Asked, Writes, scale_of

BODY_MAX_BYTES = 8 << 20
_PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_patch,
    "application/json-patch+json": json_patch,
}


class Server:
    """Requests in, answers out; the objects behind it are the store's."""

    def __init__(self, writes: Writes, reads: Reads, streams: Streams, faults: Faults) -> None:
        self._writes = writes
        self._reads = reads
        self._streams = streams
        self._faults = faults
        self.asked: Counter[tuple[str, str]] = Counter()
        self.created: list[str] = []

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=BODY_MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        target, query = parse_path(request.path), dict(request.query)
        verb = _verb(request.method, target, query)
        self.asked[verb, target.kind.plural if target else ""] += 1
        fault = self._faults.strike(verb, target.kind.plural if target else "", "continue" in query)
        try:
            if fault is not None and fault.does != "cut":
                await _strike(fault)
            if target is None:
                return _discover(request.path)
            if verb in ("watch", "log"):
                return await self._stream(request, target, query)
            body = await _body(request)
            query["fieldManager"] = query.get("fieldManager") or _agent(request)
            code, answer = self._act(verb, target, query, body, request.content_type)
            if code == 201 and "dryRun" not in query:
                self.created.append(f"{target.kind.name}/{answer['metadata']['name']}")
            if verb == "list":
                answer = self._reads.page(target, query, wanted_form(request))
        except RefusalError as why:
            return _json(why.status(), why.code)
        if answer.get("kind") not in ("Status", "Scale") and verb != "list":
            answer = wanted_form(request).one(target.kind, answer, self._writes.clock())
        if fault is not None:
            return await _cut(request, answer)
        return _json(answer, code)

    async def _stream(
        self, request: web.Request, target: Target, query: dict[str, str]
    ) -> web.StreamResponse:
        if target.subresource == "log":
            return await self._streams.log(request, self._writes.must_get(target), query)
        if target.name:
            query["fieldSelector"] = ",".join(
                filter(None, (query.get("fieldSelector"), f"metadata.name={target.name}"))
            )
        return await self._streams.watch(request, target, query)

    def _act(
        self, verb: str, target: Target, query: dict[str, str], body: Any, content: str
    ) -> tuple[int, Object]:
        asked = Asked(query["fieldManager"], "dryRun" in query, query.get("force") == "true")
        match verb:
            case "list":
                return 200, {"kind": "Status"}
            case "get":
                found = self._writes.must_get(target)
                return 200, scale_of(found) if target.subresource == "scale" else found
            case "create":
                return 201, self._writes.create(target, _object(target, body), asked)
            case "update":
                return 200, self._writes.update(target, lambda live: _object(target, body), asked)
            case "patch" if content == "application/apply-patch+yaml":
                found, created = self._writes.apply(target, _object(target, body), asked)
                return 201 if created else 200, found
            case "patch" if content in _PATCHES:
                return 200, self._writes.update(target, lambda live: _patched(content, live, body), asked)
            case "patch":
                raise RefusalError(415, f"the body of the request was in an unknown format - {content}")
            case "delete":
                return 200, self._writes.delete(target, body or {}, _with_body(asked, body))
            case "deletecollection":
                return 200, self._delete_all(target, query, body or {}, _with_body(asked, body))
            case _:
                raise RefusalError(
                    405, f"the server does not allow this method on the requested resource: {verb}"
                )

    def _delete_all(self, target: Target, query: dict[str, str], options: Object, asked: Asked) -> Object:
        listed = self._reads.page(target, query, Form())
        for found in listed["items"]:
            meta = found["metadata"]
            self._writes.delete(Target(target.kind, meta.get("namespace", ""), meta["name"]), options, asked)
        return listed


def _agent(request: web.Request) -> str:
    return request.headers.get("User-Agent", "").partition("/")[0] or "unknown"


def _with_body(asked: Asked, options: Object | None) -> Asked:
    return Asked(asked.manager, asked.dry_run or bool((options or {}).get("dryRun")), asked.force)


def _patched(content: str, live: Object, body: Any) -> Object:
    found: Object = _PATCHES[content](live, body)
    return found


def _verb(method: str, target: Target | None, query: dict[str, str]) -> str:
    named = bool(target and target.name)
    if method == "GET" and target is not None:
        if target.subresource == "log":
            return "log"
        if query.get("watch") in ("1", "true"):
            return "watch"
        return "get" if named else "list"
    if method == "DELETE":
        return "delete" if named else "deletecollection"
    return {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, method.lower())


def _object(target: Target, body: Any) -> Object:
    if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
        raise RefusalError(400, "the body is not an object")
    meta, kind = body.get("metadata", {}), "Scale" if target.subresource == "scale" else target.kind.name
    if body.get("kind", kind) != kind:
        raise RefusalError(400, f"the object provided is a {body['kind']}, not a {kind}")
    if meta.get("namespace", target.namespace) != target.namespace:
        raise RefusalError(
            400, "the namespace of the provided object does not match the namespace sent on the request"
        )
    if target.name and meta.get("name", target.name) != target.name:
        raise RefusalError(400, "the name of the object does not match the name on the URL")
    return body | {"metadata": meta | ({"name": target.name} if target.name else {})}


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    if "protobuf" in request.content_type:
        raise RefusalError(
            415, "the simulator reads JSON and YAML only; use `kubectl apply -f` in place of `kubectl create`"
        )
    if not raw:
        return None
    try:
        return json.loads(raw) if raw[:1] in b"{[" else yaml.safe_load(raw)
    except (ValueError, yaml.YAMLError) as why:
        raise RefusalError(400, f"the body cannot be read: {why}") from why


def _discover(path: str) -> web.Response:
    found = discovery.document(path)
    if found is None:
        raise RefusalError(404, "the server could not find the requested resource")
    return web.Response(text=found) if isinstance(found, str) else _json(found, 200)


async def _strike(fault: Fault) -> None:
    if fault.does == "hang":
        await asyncio.sleep(3600)
    raise RefusalError(fault.status, f"simulated fault: {fault.status}")


async def _cut(request: web.Request, answer: Object) -> web.StreamResponse:
    """Half of the answer, and then the connection is gone."""
    whole = json.dumps(answer).encode()
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "Content-Length": str(len(whole))}
    )
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


def _json(answer: Object, code: int) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=code, content_type="application/json")
