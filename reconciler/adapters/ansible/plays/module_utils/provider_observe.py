"""What exists on this host: its resources, and every workload with its drift. Runs on the host; read-only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .provider_container import Container, Spec, container_drift, is_up, labels_of, name_of
from .provider_engine import LEASE, MANAGED_BY, MANAGER, SERVICE, WORKLOAD, Engine
from .provider_records import Record, Records, is_due

View = dict[str, Any]


def observe(engine: Engine, records: Records, directory: str) -> dict[str, Any]:
    """The whole host; the number of commands does not depend on the number of workloads."""
    networks = set(engine.owned("network"))
    ours: dict[str, list[Container]] = {}
    foreign = []
    for each in engine.containers():
        labels = labels_of(each)
        if labels.get(MANAGED_BY) == MANAGER and WORKLOAD in labels:
            ours.setdefault(labels[WORKLOAD], []).append(each)
        elif is_up(each):
            foreign.append(each)
    known = records.read_all()
    names = sorted({*ours, *known})
    views = {name: _view(known.get(name), ours.get(name, []), networks) for name in names}
    return {"workloads": views, "facts": _facts(directory), "foreign": _limits(foreign)}


def observe_workload(engine: Engine, records: Records, workload: str) -> View | None:
    """One workload; None if nothing of it exists here."""
    containers = engine.containers_of(workload)
    record = records.read(workload)
    if record is None and not containers:
        return None
    return _view(record, containers, set(engine.owned("network", workload)))


def _view(record: Record | None, containers: list[Container], networks: set[str]) -> View:
    view: View = {"containers": [_container_view(each) for each in containers]}
    if record is None:
        lease = labels_of(containers[0]).get(LEASE, "")
        return {**view, "lease": lease, "differences": ["its record is missing"]}
    spec = record["spec"]
    return {
        **view,
        **{key: spec[key] for key in ("lease", "digest", "paused", "resources", "ports")},
        "wanted": [each["name"] for each in spec["containers"]],
        "differences": _differences(spec, containers, networks, record.get("created") or {}),
        "due": is_due(record, time.time()),
        "failure": record.get("failure"),
        "restarts": (record.get("restarts") or {}).get("count", 0),
    }


def _differences(
    spec: Spec, containers: Iterable[Container], networks: set[str], created: dict[str, str]
) -> list[str]:
    """What an apply would change, as sentences."""
    existing = {name_of(each): each for each in containers}
    wanted = {each["name"]: each for each in spec["containers"]}
    found = [f"{name} belongs to no service" for name in sorted(existing.keys() - wanted.keys())]
    if spec["network"] not in networks and not (spec["paused"] and not existing):
        found.append(f"the network {spec['network']} does not exist")
    for name, each in wanted.items():
        container = existing.get(name)
        if container is None:
            found += [] if spec["paused"] else [f"{name} does not exist"]
            continue
        found += container_drift(each, container, created.get(name))
        if is_up(container) and spec["paused"]:
            found.append(f"{name} runs although the workload is paused")
        elif not is_up(container) and not spec["paused"]:
            found.append(f"{name} does not run")
    return found


def _container_view(container: Container) -> dict[str, Any]:
    state = container["State"]
    health = state.get("Health") or state.get("Healthcheck") or {}
    return {
        "name": name_of(container),
        "id": container["Id"],
        "service": labels_of(container).get(SERVICE, ""),
        "status": state["Status"],
        "exit_code": state.get("ExitCode") or 0,
        "oom_killed": bool(state.get("OOMKilled")),
        "health": health.get("Status") or "",
    }


def _facts(directory: str) -> dict[str, int]:
    """The host's own resources; storage is that of the file system of our records."""
    path = Path(directory)
    while not path.is_dir():
        path = path.parent
    disk = os.statvfs(path)
    return {
        "cpu_milli": (os.cpu_count() or 1) * 1000,
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "storage_bytes": disk.f_blocks * disk.f_frsize,
        "gpu": len(list(Path("/dev").glob("nvidia[0-9]*"))),
    }


def _limits(containers: Iterable[Container]) -> dict[str, int]:
    """The sum of the limits of containers; those without limits count as nothing."""
    limits = [each["HostConfig"] for each in containers]
    return {
        "cpu_milli": sum((each.get("NanoCpus") or 0) // 1_000_000 for each in limits),
        "memory_bytes": sum(max(each.get("Memory") or 0, 0) for each in limits),
    }
