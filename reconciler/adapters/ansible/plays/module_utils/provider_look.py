"""What is on this host: its capacity, and every workload beside what shall run of it.

Runs on the host; changes nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .provider_container import Container, Order, differs, is_up, labels_of, name_of
from .provider_engine import INDEX, LEASE, MANAGED_BY, MANAGER, SERVICE, WORKLOAD, Engine
from .provider_records import Record, Records, due_at

View = dict[str, Any]


def look(engine: Engine, records: Records, directory: str) -> dict[str, Any]:
    """Everything in a few commands, however many workloads there are."""
    everything = engine.everything()
    networks = set(engine.labelled("network"))
    mine: dict[str, list[Container]] = {}
    strangers = []
    for each in everything:
        labels = labels_of(each)
        if labels.get(MANAGED_BY) == MANAGER and WORKLOAD in labels:
            mine.setdefault(labels[WORKLOAD], []).append(each)
        elif is_up(each):
            strangers.append(each)
    known = records.read_all()
    names = sorted({*mine, *known})
    views = {name: view_of(known.get(name), mine.get(name, []), networks) for name in names}
    return {"workloads": views, "facts": facts(directory), "strangers": _used(strangers)}


def look_at(engine: Engine, records: Records, workload: str) -> View | None:
    """One workload, None where nothing of it is here."""
    there = engine.containers(workload)
    record = records.read(workload)
    if record is None and not there:
        return None
    return view_of(record, there, set(engine.labelled("network", workload)))


def view_of(record: Record | None, there: list[Container], networks: set[str]) -> View:
    """A workload's containers, and in what words they differ from its record."""
    found: View = {"containers": [_shown(each) for each in there], "differences": [], "due": True}
    if record is None:
        labels = labels_of(there[0])
        return {**found, "lease": labels.get(LEASE, ""), "digest": "", "differences": ["its record is gone"]}
    order = record["order"]
    found["differences"] = differences(order, there, networks, record.get("made") or {})
    found["due"] = time.time() >= due_at(record)
    kept = ("lease", "digest", "paused", "resources", "ports")
    return {
        **found,
        **{key: order[key] for key in kept},
        "wanted": [each["name"] for each in order["containers"]],
        "failure": record.get("failure"),
        "restarts": (record.get("restarts") or {}).get("count", 0),
    }


def differences(
    order: Order, there: Iterable[Container], networks: set[str], made: dict[str, str]
) -> list[str]:
    """What an apply would change."""
    by_name = {name_of(each): each for each in there}
    wanted = {each["name"]: each for each in order["containers"]}
    found = [f"{name} belongs to no service" for name in sorted(by_name.keys() - wanted.keys())]
    if order["network"] not in networks and not (order["paused"] and not by_name):
        found.append(f"the network {order['network']} is not there")
    for name, each in wanted.items():
        container = by_name.get(name)
        if container is None:
            found += [] if order["paused"] else [f"{name} is not there"]
            continue
        found += differs(each, container, made.get(name))
        if is_up(container) and order["paused"]:
            found.append(f"{name} runs though it is paused")
        elif not is_up(container) and not order["paused"]:
            found.append(f"{name} does not run")
    return found


def _shown(there: Container) -> dict[str, Any]:
    state, labels = there["State"], labels_of(there)
    health = state.get("Health") or state.get("Healthcheck") or {}
    return {
        "name": name_of(there),
        "service": labels.get(SERVICE, ""),
        "index": labels.get(INDEX, ""),
        "image": there.get("ImageName") or there["Config"].get("Image") or "",
        "status": state["Status"],
        "exit": state.get("ExitCode") or 0,
        "oom": bool(state.get("OOMKilled")),
        "health": health.get("Status") or "",
    }


def facts(directory: str) -> dict[str, int]:
    """What this host has in all: millicores, bytes, bytes, GPUs; and the bytes that are free."""
    path = Path(directory)
    while not path.is_dir():
        path = path.parent
    disk, page = os.statvfs(path), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu_milli": (os.cpu_count() or 1) * 1000,
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * page,
        "storage_bytes": disk.f_blocks * disk.f_frsize,
        "gpu": len(list(Path("/dev").glob("nvidia[0-9]*"))),
        "free_bytes": disk.f_bavail * disk.f_frsize,
    }


def _used(containers: Iterable[Container]) -> dict[str, int]:
    """What running containers of others may use, as far as they are limited."""
    limits = [each["HostConfig"] for each in containers]
    return {
        "cpu_milli": sum((each.get("NanoCpus") or 0) // 1_000_000 for each in limits),
        "memory_bytes": sum(max(each.get("Memory") or 0, 0) for each in limits),
    }
