"""Makes one workload on this host what its order says, or takes all of it away. Runs on the host."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .provider_container import (
    Container,
    Order,
    Place,
    Wanted,
    addresses,
    collection_arguments,
    create_words,
    differs,
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
    label_words,
)
from .provider_records import STEADY_SECONDS, Record, Records, counted, due_at

PATH_FORM = re.compile(r"/[A-Za-z0-9_./-]{1,200}")
ENDED = ("exited", "dead", "stopped")
PULL_SECONDS = 3_600.0


class Site:
    """The engine and the records of this host, and where files of secrets may lie for a moment."""

    def __init__(self, engine: Engine, records: Records, secrets: dict[str, str]) -> None:
        self.engine = engine
        self.records = records
        self.secrets = secrets


def apply(site: Site, order: Order) -> bool:
    """Whether anything was changed; what fails is kept in the record, for looking to tell."""
    workload = order["workload"]
    with site.records.locked(workload):
        before = site.records.read(workload) or {}
        same = before.get("order") == order
        if same and time.time() < due_at(before):
            return False
        record = _recorded(site, order, before)
        try:
            changed = _make(site, order, record, same=same)
        except EngineError as why:
            if why.step == "engine":
                raise
            counts = counted(record["failure"], time.time(), float("inf"))
            words = {"step": why.step, "error": str(why), **_about(why)}
            site.records.write(workload, {**record, "failure": {**counts, **words}})
            return True
        made = {name_of(each): each["Id"] for each in site.engine.containers(workload)}
        done = {**record, "failure": None, "made": made}
        if done != before:
            site.records.write(workload, done)
        return changed or not same


def stage(site: Site, order: Order) -> list[dict[str, Any]]:
    """All of an apply before containers are made: the arguments with which containers.podman makes them.

    What it does not make, and what it cannot know (secrets, GPUs, sizes), the apply that follows makes.
    """
    workload = order["workload"]
    with site.records.locked(workload):
        before = site.records.read(workload) or {}
        if order["paused"] or (before.get("order") == order and time.time() < due_at(before)):
            return []
        record = _recorded(site, order, before)
        _, absent, known, _ = _cleared(site.engine, order, record["made"])
        easy = [e for e in absent if not (e["secrets"] or e["gpu"] or e["storage_quota"])]
        return [collection_arguments(order, each, _place(site.engine, order, each, known)) for each in easy]


def _recorded(site: Site, order: Order, before: Record) -> Record:
    """The record of an order that is about to be carried out; what is known of the very same is kept."""
    same = before.get("order") == order
    record: Record = {"order": order, "made": before.get("made") or {}}
    record |= {each: before.get(each) if same else None for each in ("restarts", "failure")}
    if record != before:
        site.records.write(order["workload"], record)
    return record


def remove(site: Site, workload: str) -> bool:
    """Everything that carries our label and this id: containers, volumes, network, then the record."""
    engine = site.engine
    with site.records.locked(workload):
        there = engine.containers(workload)
        networks = engine.labelled("network", workload)
        volumes = engine.labelled("volume", workload)
        changed = bool(there or networks or volumes or site.records.read(workload))
        _take_away(engine, there)
        for name in volumes:
            engine.run("remove", "volume", "rm", name)
        for name in networks:
            engine.run("remove", "network", "rm", name)
        site.records.forget(workload)
    return changed


def _about(why: EngineError) -> dict[str, str]:
    return {"service": why.wanted.get("service", ""), "image": why.wanted.get("image", "")}


def _make(site: Site, order: Order, record: Record, *, same: bool) -> bool:
    engine, made = site.engine, record["made"]
    if order["paused"]:
        return _halt(engine, order, made)
    kept, absent, known, stale = _cleared(engine, order, made)
    for each in absent:
        with _told_of(each):
            _create(site, order, each, known)
    down = [e for e in order["containers"] if e["name"] not in kept or not is_up(kept[e["name"]])]
    if same:
        _count_ends(record, [kept[each["name"]] for each in down if each["name"] in kept])
    for each in down:
        with _told_of(each):
            engine.run("start", "start", each["name"])
    return bool(stale or absent or down)


def _sorted_out(
    engine: Engine, order: Order, made: dict[str, str]
) -> tuple[dict[str, Container], list[Container]]:
    """What is there as it should be, by name, and what is not."""
    there = {name_of(each): each for each in engine.containers(order["workload"])}
    wanted = {each["name"]: each for each in order["containers"]}
    stale = [c for n, c in there.items() if n not in wanted or differs(wanted[n], c, made.get(n))]
    return {name: c for name, c in there.items() if c not in stale}, stale


def _halt(engine: Engine, order: Order, made: dict[str, str]) -> bool:
    kept, stale = _sorted_out(engine, order, made)
    running = [c for c in kept.values() if is_up(c)]
    _take_away(engine, stale)
    for each in running:
        engine.run("stop", "stop", name_of(each), seconds=order["stop_seconds"] + 30)
    return bool(stale or running)


def _cleared(
    engine: Engine, order: Order, made: dict[str, str]
) -> tuple[dict[str, Container], list[Wanted], dict[str, str], list[Container]]:
    """What stays, what is to be made and with what addresses, once images are here and the stale is gone."""
    kept, stale = _sorted_out(engine, order, made)
    absent = [each for each in order["containers"] if each["name"] not in kept]
    for each in absent:
        with _told_of(each):
            _pull(engine, each["image"])
    _take_away(engine, stale)
    return kept, absent, _network(engine, order, [*kept.values(), *stale]), stale


def _count_ends(record: Record, down: list[Container]) -> None:
    """What ended by itself is counted, so that it is not started again and again without a pause; what a new
    order finds stopped is not.
    """
    if any(each["State"]["Status"] in ENDED for each in down):
        record["restarts"] = counted(record.get("restarts"), time.time(), STEADY_SECONDS)


@contextmanager
def _told_of(wanted: Wanted) -> Iterator[None]:
    """An error within is about this container."""
    try:
        yield
    except EngineError as why:
        why.wanted = wanted
        raise


def _pull(engine: Engine, image: str) -> None:
    if not engine.succeeds("image", "inspect", image):
        engine.run("pull", "pull", "--quiet", image, seconds=PULL_SECONDS)


def _take_away(engine: Engine, there: list[Container]) -> None:
    """Each is asked to stop first, within its own time."""
    for each in there:
        name = name_of(each)
        if is_up(each):
            engine.run("stop", "stop", name, seconds=PULL_SECONDS)
        engine.run("remove", "rm", "--force", "--volumes", name)


def _network(engine: Engine, order: Order, there: list[Container]) -> dict[str, str]:
    """The lease's own network, and the address of each container in it (podman)."""
    name = order["network"]
    if name not in engine.labelled("network", order["workload"]):
        if engine.succeeds("network", "inspect", name):
            raise EngineError("taken", f"a network {name} is there and is not ours")
        words = ["--opt=isolate=true"] if engine.is_podman else []
        marks = {MANAGED_BY: MANAGER, WORKLOAD: order["workload"], LEASE: order["lease"]}
        engine.run("network", "network", "create", *words, *label_words(marks), name)
    if not engine.is_podman:
        return {}
    found = json.loads(engine.run("network", "network", "inspect", name))[0]
    subnets = [each["subnet"] for each in _subnets(found) if ":" not in each["subnet"]]
    if not subnets:
        raise EngineError("network", f"the network {name} has no IPv4 subnet")
    return addresses(order, subnets[0], there)


def _subnets(network: dict[str, Any]) -> list[dict[str, str]]:
    return network.get("subnets") or network.get("Subnets") or []


def _create(site: Site, order: Order, wanted: Wanted, known: dict[str, str]) -> None:
    engine = site.engine
    place = _place(engine, order, wanted, known)
    with _secrets(site, wanted) as place.secrets:
        try:
            engine.run("create", "create", *create_words(order, wanted, place))
        except EngineError as why:
            taken = "already in use" in str(why) and wanted["name"] in str(why)
            raise EngineError("taken" if taken else why.step, str(why)) from why


def _place(engine: Engine, order: Order, wanted: Wanted, known: dict[str, str]) -> Place:
    place = Place(engine.is_podman, known)
    [image] = engine.inspect("image", [wanted["image"]])
    config = image.get("Config") or {}
    place.read_only = (config.get("Labels") or {}).get(READ_ONLY) == "true"
    place.volumes = _volumes(engine, order, wanted, sorted(config.get("Volumes") or {}))
    place.gpus = _gpus(engine, wanted)
    return place


def _volumes(engine: Engine, order: Order, wanted: Wanted, paths: list[str]) -> list[tuple[str, str]]:
    """What the image declares as volumes: named ones of ours, which stay while the workload does."""
    there = set(engine.labelled("volume", order["workload"]))
    found = []
    for number, path in enumerate(paths):
        if not PATH_FORM.fullmatch(path) or ".." in path:
            raise EngineError("create", f"the image declares a volume at {path!r}")
        name = f"{wanted['name']}-{number}"
        if name not in there:
            marks = {MANAGED_BY: MANAGER, WORKLOAD: order["workload"]}
            engine.run("create", "volume", "create", *label_words(marks), name)
        found.append((name, path))
    return found


def _gpus(engine: Engine, wanted: Wanted) -> str:
    """The lowest GPUs that no other container of ours has."""
    if not wanted["gpu"]:
        return ""
    taken = {n for each in engine.everything() for n in labels_of(each).get(GPUS, "").split(",")}
    free = [str(n) for n in range(wanted["gpus_of_host"]) if str(n) not in taken]
    if len(free) < wanted["gpu"]:
        raise EngineError("gpu", f"{len(free)} GPUs are free, {wanted['gpu']} are asked for")
    return ",".join(free[: wanted["gpu"]])


@contextmanager
def _secrets(site: Site, wanted: Wanted) -> Iterator[list[str]]:
    """A file of `NAME=value` for the moment of creation, so that no secret stands in a command line."""
    if not wanted["secrets"]:
        yield []
        return
    lines = []
    for name, reference in wanted["secrets"]:
        value = site.secrets.get(reference)
        if value is None:
            raise EngineError("secret", f"the vault has no {reference}")
        if "\n" in value or "\r" in value:
            raise EngineError("secret", f"{reference} has more than one line, which no variable can hold")
        lines.append(f"{name}={value}\n")
    path = site.records.scratch(wanted["name"])
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(lines)
        yield [path]
    except OSError as why:
        raise EngineError("record", f"{path}: {why.strerror}") from why
    finally:
        Path(path).unlink(missing_ok=True)
