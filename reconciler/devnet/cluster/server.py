"""The simulated API server's HTTP side: each request is decoded and answered, or meets a fault."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import yaml
from aiohttp import web

from reconciler.devnet.cluster import discovery
from reconciler.devnet.cluster.calls import ClusterCall, ClusterCalls
from reconciler.devnet.cluster.faults import ClusterFault, ClusterFaults
from reconciler.devnet.cluster.kinds import Object, Target, parse_path
from reconciler.devnet.cluster.metrics import PREFIX, PodMetricsApi
from reconciler.devnet.cluster.reads import ClusterReads, ReadForm, wanted_form
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.streams import Streams
from reconciler.devnet.cluster.writes import Writes, stamp

BODY_MAX_BYTES = 8 << 20
MUTE_SECONDS = 0.1


class Server:
    """Serves the objects of a store."""

    def __init__(self, writes: Writes, reads: ClusterReads, streams: Streams, faults: ClusterFaults) -> None:
        self._writes = writes
        self._calls = ClusterCalls(writes, reads)
        self._reads = reads
        self._streams = streams
        self._faults = faults
        self.metrics = PodMetricsApi(reads)
        self.request_counts: Counter[tuple[str, str]] = Counter()
        self.created: list[str] = []

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=BODY_MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        target, query = parse_path(request.path), dict(request.query)
        verb = _verb(request.method, target, query)
        self.request_counts[verb, target.kind.plural if target else ""] += 1
        fault = self._faults.strike(verb, target.kind.plural if target else "", "continue" in query)
        try:
            if fault is not None and fault.does == "mute":
                return await _mute(request)
            if fault is not None and fault.does != "cut":
                await _strike(fault)
            if target is None and request.path.startswith(f"{PREFIX}/"):
                return _json(self.metrics.list(request.path, query, stamp(self._writes.clock())), 200)
            if target is None:
                return _discover(request.path)
            if verb in ("watch", "log"):
                return await self._stream(request, target, query)
            query["fieldManager"] = query.get("fieldManager") or _agent(request)
            call = ClusterCall(verb, target, query, await _body(request), request.content_type)
            code, answer = self._do(call, wanted_form(request))
        except RefusalError as error:
            return _json(error.status(), error.code)
        if fault is not None:
            return await _cut(request, answer)
        return _json(answer, code)

    def _do(self, call: ClusterCall, form: ReadForm) -> tuple[int, Object]:
        if call.verb == "list":
            return 200, self._reads.page(call.target, call.query, form)
        code, answer = self._calls.do(call)
        if code == 201 and not call.options.dry_run:
            self.created.append(f"{call.target.kind.name}/{answer['metadata']['name']}")
        if call.verb == "deletecollection" or answer["kind"] == "Scale":
            return code, answer
        return code, form.one(call.target.kind, answer, self._writes.clock())

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


def _agent(request: web.Request) -> str:
    return request.headers.get("User-Agent", "").partition("/")[0] or "unknown"


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
    except (ValueError, yaml.YAMLError) as error:
        raise RefusalError(400, f"the body cannot be read: {error}") from error


def _discover(path: str) -> web.Response:
    found = discovery.document(path)
    if found is None:
        raise RefusalError(404, "the server could not find the requested resource")
    return web.Response(text=found) if isinstance(found, str) else _json(found, 200)


async def _strike(fault: ClusterFault) -> None:
    if fault.does == "hang":
        await asyncio.sleep(3600)
    raise RefusalError(fault.status, f"simulated fault: {fault.status}")


async def _mute(request: web.Request) -> web.StreamResponse:
    """Keep the connection open without data, as a proxy without its server does."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"\n")
            await asyncio.sleep(MUTE_SECONDS)
    except ConnectionError:
        return response


async def _cut(request: web.Request, answer: Object) -> web.StreamResponse:
    """Send half of the answer, then close the connection."""
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
