"""What is asked of one workload beside the cycle: its last lines, what it uses, what happened to it.

Runs on the host; changes nothing.
"""

from __future__ import annotations

import base64
import calendar
import json
import re
import time
from typing import Any

from .provider_container import is_up, labels_of, name_of
from .provider_engine import SERVICE, WORKLOAD, Engine, EngineError, is_ours

LOG_MAX_BYTES = 1 << 20
LINES_MAX = 10_000
LISTED_MAX = 200
SINCE = "24h"
ACTIONS = ("create", "start", "died", "die", "kill", "oom", "stop", "remove", "destroy", "pull", "restart")
_SIZE = re.compile(r"\s*([0-9.]+)\s*([kKMGT]?)(i?)B")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def logs(engine: Engine, workload: str, lines: int) -> dict[str, Any]:
    """The last lines of each container, as base64: they are the tenant's bytes."""
    found = []
    for each in sorted(engine.containers(workload), key=name_of):
        tail = str(max(0, min(lines, LINES_MAX)))
        said = engine.output("logs", "logs", "--tail", tail, name_of(each))
        text = base64.b64encode(said[-LOG_MAX_BYTES:]).decode()
        found.append({"name": name_of(each), "service": labels_of(each).get(SERVICE, ""), "text": text})
    return {"containers": found}


def use(engine: Engine, workload: str) -> dict[str, Any]:
    """What running containers use, as far as the engine measures it."""
    there = [each for each in engine.containers(workload) if is_up(each)]
    services = {name_of(each): labels_of(each).get(SERVICE, "") for each in there}
    if not services:
        return {"containers": [], "why": "none of its containers runs"}
    try:
        form = "json" if engine.is_podman else "{{json .}}"
        raw = engine.run("use", "stats", "--no-stream", "--format", form, *services)
        lines = json.loads(raw) if engine.is_podman else map(json.loads, raw.splitlines())
        measured = [_measured(each) for each in lines]
    except (EngineError, ValueError, KeyError) as why:
        return {"containers": [], "why": f"the engine does not measure it: {why}"}
    listed = [{**each, "service": services.get(each["name"], "")} for each in measured]
    return {"containers": listed, "at": int(time.time())}


def _measured(found: dict[str, Any]) -> dict[str, Any]:
    """One container's figures, as podman or as docker names them."""
    cpu, memory = found.get("cpu_percent") or found["CPUPerc"], found.get("mem_usage") or found["MemUsage"]
    return {
        "name": found.get("name") or found["Name"],
        "cpu_milli": int(float(str(cpu).rstrip("%")) * 10),
        "memory_bytes": _bytes(memory),
    }


def _bytes(text: str) -> int:
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no size")
    number, power, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[power])


def happenings(engine: Engine, workload: str) -> dict[str, Any]:
    """What the engine noted of its containers within a day, newest first."""
    words = ["--filter", f"label={WORKLOAD}={workload}"]
    until = [] if engine.is_podman else ["--until", "0s"]
    stream = ["--stream=false"] if engine.is_podman else []
    raw = engine.run("ask", "events", *stream, "--since", SINCE, *until, "--format", "{{json .}}", *words)
    noted = [json.loads(line) for line in raw.splitlines() if line.strip()]
    events = [_event(each) for each in noted if is_ours(_attributes(each), workload)]
    told = [each for each in events if each["reason"] in ACTIONS]
    told.sort(key=lambda each: -each["at"])
    return {"events": told[:LISTED_MAX], "complete": len(told) <= LISTED_MAX}


UNIX_SECONDS_MAX = 253402300799  # the end of the year 9999


def _event(found: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(found)
    code = found.get("ContainerExitCode") or attributes.get("exitCode") or 0
    return {
        "at": _unix(found),
        "reason": str(found.get("Status") or found.get("Action") or ""),
        "name": str(found.get("Name") or attributes.get("name") or ""),
        "image": str(found.get("Image") or attributes.get("image") or ""),
        "code": int(code),
    }


def _attributes(found: dict[str, Any]) -> dict[str, str]:
    return found.get("Attributes") or (found.get("Actor") or {}).get("Attributes") or {}


def _unix(found: dict[str, Any]) -> int:
    """podman writes a text, docker seconds."""
    if isinstance(found.get("time"), int):
        return int(found["time"]) if 0 <= found["time"] <= UNIX_SECONDS_MAX else 0
    text = str(found.get("Time") or found.get("time") or "")
    try:
        return max(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")), 0)
    except (ValueError, OverflowError):
        return 0
