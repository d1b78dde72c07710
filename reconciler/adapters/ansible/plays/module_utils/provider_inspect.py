"""Logs, resource usage and events of one workload. Runs on the host; read-only."""

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
EVENTS_MAX = 200
SINCE = "24h"
ACTIONS = ("create", "start", "died", "die", "kill", "oom", "stop", "remove", "destroy", "pull", "restart")
UNIX_SECONDS_MAX = 253402300799  # the end of the year 9999
_SIZE = re.compile(r"\s*([0-9.]+)\s*([kKMGT]?)(i?)B")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def logs(engine: Engine, workload: str, lines: int) -> dict[str, Any]:
    """The last lines of each container, in base64: a tenant's log may hold any bytes."""
    found = []
    tail = str(max(0, min(lines, LINES_MAX)))
    for each in sorted(engine.containers_of(workload), key=name_of):
        output = engine.output("logs", "logs", "--tail", tail, name_of(each))
        text = base64.b64encode(output[-LOG_MAX_BYTES:]).decode()
        found.append({"name": name_of(each), "service": labels_of(each).get(SERVICE, ""), "text": text})
    return {"containers": found}


def usage(engine: Engine, workload: str) -> dict[str, Any]:
    """What running containers use, as far as the engine measures it."""
    running = [each for each in engine.containers_of(workload) if is_up(each)]
    services = {name_of(each): labels_of(each).get(SERVICE, "") for each in running}
    if not services:
        return {"containers": [], "why": "none of its containers runs"}
    try:
        form = "json" if engine.is_podman else "{{json .}}"
        raw = engine.run("usage", "stats", "--no-stream", "--format", form, *services)
        lines = json.loads(raw) if engine.is_podman else map(json.loads, raw.splitlines())
        measured = [_measurement(each) for each in lines]
    except (EngineError, ValueError, KeyError) as error:
        return {"containers": [], "why": f"the engine does not measure it: {error}"}
    listed = [{**each, "service": services.get(each["name"], "")} for each in measured]
    return {"containers": listed, "at": int(time.time())}


def _measurement(stats: dict[str, Any]) -> dict[str, Any]:
    """One container; podman and docker name the fields differently."""
    cpu, memory = stats.get("cpu_percent") or stats["CPUPerc"], stats.get("mem_usage") or stats["MemUsage"]
    return {
        "name": stats.get("name") or stats["Name"],
        "cpu_milli": int(float(str(cpu).rstrip("%")) * 10),
        "memory_bytes": _bytes(memory),
    }


def _bytes(text: str) -> int:
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size")
    number, power, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[power])


def events(engine: Engine, workload: str) -> dict[str, Any]:
    """The engine's events of its containers within a day, newest first."""
    words = ["--stream=false", "--since", SINCE] if engine.is_podman else ["--since", SINCE, "--until", "0s"]
    words += ["--format", "{{json .}}", "--filter", f"label={WORKLOAD}={workload}"]
    raw = engine.run("events", "events", *words)
    listed = [json.loads(line) for line in raw.splitlines() if line.strip()]
    found = [_event(each) for each in listed if is_ours(_attributes(each), workload)]
    found = [each for each in found if each["reason"] in ACTIONS]
    found.sort(key=lambda each: -each["at"])
    return {"events": found[:EVENTS_MAX], "complete": len(found) <= EVENTS_MAX}


def _event(event: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(event)
    return {
        "at": _unix_seconds(event),
        "reason": str(event.get("Status") or event.get("Action") or ""),
        "name": str(event.get("Name") or attributes.get("name") or ""),
        "image": str(event.get("Image") or attributes.get("image") or ""),
        "exit_code": int(event.get("ContainerExitCode") or attributes.get("exitCode") or 0),
    }


def _attributes(event: dict[str, Any]) -> dict[str, str]:
    return event.get("Attributes") or (event.get("Actor") or {}).get("Attributes") or {}


def _unix_seconds(event: dict[str, Any]) -> int:
    """podman writes a timestamp, docker seconds; 0 if it is unreadable."""
    if isinstance(event.get("time"), int):
        return int(event["time"]) if 0 <= event["time"] <= UNIX_SECONDS_MAX else 0
    text = str(event.get("Time") or event.get("time") or "")
    try:
        return max(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")), 0)
    except (ValueError, OverflowError):
        return 0
