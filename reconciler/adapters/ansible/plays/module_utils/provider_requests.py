"""Dispatches a request of the daemon. Runs on the host."""

from __future__ import annotations

from typing import Any

from .provider_engine import Engine, EngineError
from .provider_inspect import events, logs, usage
from .provider_observe import observe, observe_workload
from .provider_records import Records
from .provider_workload import HostContext, apply, remove


def respond(
    request: dict[str, Any], engine: Engine, records: Records, *, check_mode: bool
) -> tuple[dict[str, Any], bool]:
    """The response, and whether anything changed; an observation counts drift as a change."""
    operation = request["operation"]
    if operation == "observe":
        found = observe(engine, records, request["directory"])
        return found, any(view["differences"] for view in found["workloads"].values())
    if operation == "apply" and not check_mode:
        return _apply(request, HostContext(engine, records, request.get("secrets") or {}))
    if operation == "logs":
        return logs(engine, request["workload"], request["lines"]), False
    if operation == "usage":
        return usage(engine, request["workload"]), False
    if operation == "events":
        return events(engine, request["workload"]), False
    raise EngineError("request", f"cannot {operation}{' in check mode' if check_mode else ''}")


def _apply(request: dict[str, Any], host: HostContext) -> tuple[dict[str, Any], bool]:
    """A task that fails does not stop the others."""
    changed = False
    views: dict[str, Any] = {}
    for task in request["tasks"]:
        workload = task["workload"]
        try:
            changed |= apply(host, task["spec"]) if "spec" in task else remove(host, workload)
            views[workload] = observe_workload(host.engine, host.records, workload)
        except EngineError as error:
            if error.step == "engine":
                raise
            views[workload] = {"error": str(error), "step": error.step}
    return {"workloads": views}, changed
