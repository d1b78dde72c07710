"""Applies the specification of a workload to this host, or removes the workload. Runs on the host."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .provider_container import (
    Container,
    ContainerSpec,
    HostBindings,
    Spec,
    assign_addresses,
    container_drift,
    create_options,
    is_up,
    labels_of,
    name_of,
)
from .provider_engine import (
    GPUS,
    LEASE,
    MANAGED_BY,
    MANAGER,
    READ_ONLY,
    WORKLOAD,
    Engine,
    EngineError,
    label_options,
)
from .provider_records import STEADY_SECONDS, Record, Records, counted, is_due

PATH_FORM = re.compile(r"/[A-Za-z0-9_./-]{1,200}")
EXITED = ("exited", "dead", "stopped")
PULL_SECONDS = 3_600.0


@dataclass
class HostContext:
    """The engine and records of this host, and the secrets (by `name/key`) of the request."""

    engine: Engine
    records: Records
    secrets: dict[str, str]


def apply(host: HostContext, spec: Spec) -> bool:
    """Make the workload match its specification; whether anything changed.

    Idempotent. A failed step is kept in the record, for the next observation to report.
    """
    workload = spec["workload"]
    with host.records.locked(workload):
        before = host.records.read(workload) or {}
        same = before.get("spec") == spec
        if same and not is_due(before, time.time()):
            return False
        record: Record = {"spec": spec, "created": before.get("created") or {}}
        record |= {key: before.get(key) if same else None for key in ("restarts", "failure")}
        if record != before:
            host.records.write(workload, record)
        try:
            changed = _pause(host.engine, record) if spec["paused"] else _run(host, record, same=same)
        except EngineError as error:
            if error.step == "engine":
                raise
            failure = counted(record["failure"], time.time(), float("inf"))
            failure |= {"step": error.step, "error": str(error)}
            failure |= {key: error.container.get(key, "") for key in ("service", "image")}
            host.records.write(workload, {**record, "failure": failure})
            return True
        created = {name_of(each): each["Id"] for each in host.engine.containers_of(workload)}
        done = {**record, "failure": None, "created": created}
        if done != before:
            host.records.write(workload, done)
        return changed or not same


def remove(host: HostContext, workload: str) -> bool:
    """Remove all objects with our label and this id, then the record; whether anything changed."""
    engine = host.engine
    with host.records.locked(workload):
        containers = engine.containers_of(workload)
        networks = engine.owned("network", workload)
        volumes = engine.owned("volume", workload)
        changed = bool(containers or networks or volumes or host.records.read(workload))
        _remove_containers(engine, containers)
        for name in volumes:
            engine.run("remove", "volume", "rm", name)
        for name in networks:
            engine.run("remove", "network", "rm", name)
        host.records.delete(workload)
    return changed


def _pause(engine: Engine, record: Record) -> bool:
    kept, stale = _kept_and_stale(engine, record)
    running = [each for each in kept.values() if is_up(each)]
    _remove_containers(engine, stale)
    for each in running:
        engine.run("stop", "stop", name_of(each), seconds=record["spec"]["stop_seconds"] + 30)
    return bool(stale or running)


def _run(host: HostContext, record: Record, *, same: bool) -> bool:
    """Pull images first, then replace what drifted, then start what does not run.

    Exits of containers under an unchanged specification are counted, so that restarts back off.
    """
    engine, spec = host.engine, record["spec"]
    kept, stale = _kept_and_stale(engine, record)
    missing = [each for each in spec["containers"] if each["name"] not in kept]
    for each in missing:
        with _blame(each):
            if not engine.succeeds("image", "inspect", each["image"]):
                engine.run("pull", "pull", "--quiet", each["image"], seconds=PULL_SECONDS)
    _remove_containers(engine, stale)
    addresses = _ensure_network(engine, spec, [*kept.values(), *stale])
    for each in missing:
        with _blame(each):
            _create(host, spec, each, addresses)
    down = [each for each in spec["containers"] if each["name"] not in kept or not is_up(kept[each["name"]])]
    statuses = [kept[each["name"]]["State"]["Status"] for each in down if each["name"] in kept]
    if same and any(status in EXITED for status in statuses):
        record["restarts"] = counted(record["restarts"], time.time(), STEADY_SECONDS)
    for each in down:
        with _blame(each):
            engine.run("start", "start", each["name"])
    return bool(stale or missing or down)


def _kept_and_stale(engine: Engine, record: Record) -> tuple[dict[str, Container], list[Container]]:
    """Existing containers that match the specification, by name, and those that do not."""
    spec, created = record["spec"], record["created"]
    existing = {name_of(each): each for each in engine.containers_of(spec["workload"])}
    wanted = {each["name"]: each for each in spec["containers"]}
    stale = [
        each
        for name, each in existing.items()
        if name not in wanted or container_drift(wanted[name], each, created.get(name))
    ]
    return {name: each for name, each in existing.items() if each not in stale}, stale


@contextmanager
def _blame(container: ContainerSpec) -> Iterator[None]:
    """Attach the container to an error raised within."""
    try:
        yield
    except EngineError as error:
        error.container = container
        raise


def _remove_containers(engine: Engine, containers: list[Container]) -> None:
    """Stops each first, within its own stop timeout."""
    for each in containers:
        name = name_of(each)
        if is_up(each):
            engine.run("stop", "stop", name, seconds=PULL_SECONDS)
        engine.run("remove", "rm", "--force", "--volumes", name)


def _ensure_network(engine: Engine, spec: Spec, existing: list[Container]) -> dict[str, str]:
    """Create the lease's own network if it is missing; the containers' addresses in it (podman only)."""
    name = spec["network"]
    if name not in engine.owned("network", spec["workload"]):
        if engine.succeeds("network", "inspect", name):
            raise EngineError("taken", f"a network {name} exists and is not ours")
        words = ["--opt=isolate=true"] if engine.is_podman else []
        labels = {MANAGED_BY: MANAGER, WORKLOAD: spec["workload"], LEASE: spec["lease"]}
        engine.run("network", "network", "create", *words, *label_options(labels), name)
    if not engine.is_podman:
        return {}
    network = json.loads(engine.run("network", "network", "inspect", name))[0]
    listed = network.get("subnets") or network.get("Subnets") or []
    subnets = [each["subnet"] for each in listed if ":" not in each["subnet"]]
    if not subnets:
        raise EngineError("network", f"the network {name} has no IPv4 subnet")
    return assign_addresses(spec, subnets[0], existing)


def _create(host: HostContext, spec: Spec, container: ContainerSpec, addresses: dict[str, str]) -> None:
    engine = host.engine
    [image] = engine.inspect("image", [container["image"]])
    config = image.get("Config") or {}
    bindings = HostBindings(engine.is_podman, addresses)
    bindings.read_only = (config.get("Labels") or {}).get(READ_ONLY) == "true"
    bindings.volumes = _ensure_volumes(engine, spec, container, sorted(config.get("Volumes") or {}))
    bindings.gpus = _free_gpus(engine, container)
    with _env_files(host, container) as bindings.env_files:
        try:
            engine.run("create", "create", *create_options(spec, container, bindings))
        except EngineError as error:
            taken = "already in use" in str(error) and container["name"] in str(error)
            raise EngineError("taken" if taken else error.step, str(error)) from error


def _ensure_volumes(
    engine: Engine, spec: Spec, container: ContainerSpec, paths: list[str]
) -> list[tuple[str, str]]:
    """Named volumes for the paths that the image declares; they live as long as the workload."""
    existing = set(engine.owned("volume", spec["workload"]))
    found = []
    for number, path in enumerate(paths):
        if not PATH_FORM.fullmatch(path) or ".." in path:
            raise EngineError("create", f"the image declares a volume at {path!r}")
        name = f"{container['name']}-{number}"
        if name not in existing:
            labels = {MANAGED_BY: MANAGER, WORKLOAD: spec["workload"]}
            engine.run("create", "volume", "create", *label_options(labels), name)
        found.append((name, path))
    return found


def _free_gpus(engine: Engine, container: ContainerSpec) -> str:
    """The lowest GPU numbers that no other container of the provider uses, separated by commas."""
    if not container["gpu"]:
        return ""
    taken = {number for each in engine.containers() for number in labels_of(each).get(GPUS, "").split(",")}
    free = [str(number) for number in range(container["host_gpus"]) if str(number) not in taken]
    if len(free) < container["gpu"]:
        raise EngineError("gpu", f"{len(free)} GPUs are free, {container['gpu']} are required")
    return ",".join(free[: container["gpu"]])


@contextmanager
def _env_files(host: HostContext, container: ContainerSpec) -> Iterator[list[str]]:
    """A temporary file of `NAME=value` lines, so that no secret appears on a command line."""
    if not container["secrets"]:
        yield []
        return
    lines = []
    for name, reference in container["secrets"]:
        value = host.secrets.get(reference)
        if value is None:
            raise EngineError("secret", f"the vault has no {reference}")
        if "\n" in value or "\r" in value:
            message = f"{reference} has more than one line, which no environment file can hold"
            raise EngineError("secret", message)
        lines.append(f"{name}={value}\n")
    path = host.records.env_file(container["name"])
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(lines)
        yield [path]
    except OSError as error:
        raise EngineError("record", f"{path}: {error.strerror}") from error
    finally:
        Path(path).unlink(missing_ok=True)
