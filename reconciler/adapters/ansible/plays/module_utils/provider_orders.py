"""An order as the controller sends it, and who carries it out. Runs on the host."""

from __future__ import annotations

from typing import Any

from .provider_ask import happenings, logs, use
from .provider_engine import Engine, EngineError
from .provider_look import look, look_at
from .provider_records import Records
from .provider_workload import Site, apply, remove, stage


def answer_to(
    asked: dict[str, Any], engine: Engine, records: Records, *, checking: bool
) -> tuple[dict[str, Any], bool]:
    """What one order asks for, and whether anything was changed, or would be."""
    operation = asked["operation"]
    if operation == "tend":
        return _tend(asked, engine, records, checking=checking)
    if operation == "stage" and not checking:
        return _stage(asked, engine, records), True
    if operation == "work" and not checking:
        return _work(asked, engine, records)
    if operation == "logs":
        return logs(engine, asked["workload"], asked["lines"]), False
    if operation == "use":
        return use(engine, asked["workload"]), False
    if operation == "happenings":
        return happenings(engine, asked["workload"]), False
    raise EngineError("order", f"{operation} cannot be done{' in check mode' if checking else ''}")


def _tend(
    asked: dict[str, Any], engine: Engine, records: Records, *, checking: bool
) -> tuple[dict[str, Any], bool]:
    """Make every record true again; in check mode, say what that would change."""
    seen = look(engine, records, asked["directory"])
    drifted = [name for name, view in seen["workloads"].items() if view["differences"]]
    if not checking:
        site = Site(engine, records, asked.get("secrets") or {})
        for name in drifted:
            if (record := records.read(name)) is not None:
                apply(site, record["order"])
        seen = look(engine, records, asked["directory"])
    return seen, bool(drifted)


def _stage(asked: dict[str, Any], engine: Engine, records: Records) -> dict[str, Any]:
    """What containers.podman may make; where a step fails, nothing: the work that follows tells why."""
    site, found = Site(engine, records, {}), []
    for each in asked["orders"]:
        if each["do"] == "apply":
            try:
                found += stage(site, each["order"])
            except EngineError as why:
                if why.step == "engine":
                    raise
    return {"containers": found}


def _work(asked: dict[str, Any], engine: Engine, records: Records) -> tuple[dict[str, Any], bool]:
    site = Site(engine, records, asked.get("secrets") or {})
    changed = False
    views: dict[str, Any] = {}
    for each in asked["orders"]:
        workload = each["workload"]
        try:
            if each["do"] == "remove":
                changed |= remove(site, workload)
            else:
                changed |= apply(site, each["order"])
            views[workload] = look_at(engine, records, workload)
        except EngineError as why:
            if why.step == "engine":
                raise
            views[workload] = {"error": str(why), "step": why.step}
    return {"workloads": views}, changed
