"""One container of an order as options of the engine, and how one that is there differs from it. Runs on the
host; pure.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from typing import Any

from .provider_engine import (
    ADDRESS,
    GPUS,
    INDEX,
    LEASE,
    MANAGED_BY,
    MANAGER,
    SERVICE,
    SPEC,
    WORKLOAD,
    EngineError,
    label_words,
)

Order = dict[str, Any]
Wanted = dict[str, Any]
Container = dict[str, Any]
LOG_MAX = "10m"
FIRST_ADDRESS = 10
ADDRESSES = 200


def addresses(order: Order, subnet: str, there: Iterable[Container]) -> dict[str, str]:
    """Each container's address in its lease's network, by name; one that is there keeps its own."""
    network = ipaddress.ip_network(subnet)
    labelled = {name_of(each): labels_of(each).get(ADDRESS, "") for each in there}
    names = [each["name"] for each in order["containers"]]
    found = {name: labelled[name] for name in names if _is_in(network, labelled.get(name, ""))}
    last = min(FIRST_ADDRESS + ADDRESSES, network.num_addresses - 1)
    free = [a for n in range(FIRST_ADDRESS, last) if (a := str(network[n])) not in labelled.values()]
    lacking = [name for name in names if name not in found]
    if len(lacking) > len(free):
        raise EngineError("network", f"{len(names)} containers are too many for the network {subnet}")
    return {**found, **dict(zip(lacking, free))}  # noqa: B905  # hosts may have Python 3.9


def _is_in(network: Any, address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address) in network


def labels(order: Order, wanted: Wanted, place: Place) -> dict[str, str]:
    """What a container says of itself: every label of ours, as an image may come with labels of its own."""
    return {
        MANAGED_BY: MANAGER,
        WORKLOAD: order["workload"],
        LEASE: order["lease"],
        SERVICE: wanted["service"],
        INDEX: str(wanted["index"]),
        SPEC: wanted["spec"],
        ADDRESS: place.known.get(wanted["name"], ""),
        GPUS: place.gpus,
    }


def create_words(order: Order, wanted: Wanted, place: Place) -> list[str]:
    """The words after `create`: options with their values in one word each, then image and arguments."""
    memory = str(wanted["memory_bytes"])
    words = [
        f"--name={wanted['name']}",
        *label_words(labels(order, wanted, place)),
        f"--memory={memory}",
        f"--memory-swap={memory}",
        f"--cpus={wanted['cpu_milli'] / 1000:g}",
        f"--pids-limit={wanted['processes']}",
        f"--stop-timeout={order['stop_seconds']}",
        "--restart=no",
        "--security-opt=no-new-privileges",
        "--cap-drop=ALL",
        *(f"--cap-add={each}" for each in wanted["capabilities"]),
        f"--network={order['network']}",
        f"--network-alias={wanted['service']}",
        f"--log-driver={'k8s-file' if place.is_podman else 'json-file'}",
        f"--log-opt=max-size={LOG_MAX}",
        *(f"--env={name}={value}" for name, value in wanted["env"]),
        *(f"--env-file={path}" for path in place.secrets),
        *(
            f"--publish={address}:{host}:{port}/{protocol}"
            for address, host, port, protocol in wanted["publish"]
        ),
        *(f"--volume={name}:{path}" for name, path in place.volumes),
        *_names(order, wanted, place),
    ]
    if wanted["read_only"] or place.read_only:
        words += ["--read-only", "--tmpfs=/tmp", "--tmpfs=/run"]
    if wanted["storage_quota"] and wanted["storage_bytes"]:
        words.append(f"--storage-opt=size={wanted['storage_bytes']}")
    if place.gpus:
        words += _gpu_words(place)
    return [*words, *_program(wanted, place), wanted["image"], *_arguments(wanted, place)]


def collection_arguments(order: Order, wanted: Wanted, place: Place) -> dict[str, Any]:
    """The same as containers.podman takes it; a name with several addresses gets the first."""
    others = {each["service"]: place.known[each["name"]] for each in reversed(order["containers"])}
    memory = f"{wanted['memory_bytes']}b"
    found: dict[str, Any] = {
        "name": wanted["name"],
        "image": wanted["image"],
        "state": "created",
        "label": labels(order, wanted, place),
        "memory": memory,
        "memory_swap": memory,
        "cpus": f"{wanted['cpu_milli'] / 1000:g}",
        "pids_limit": str(wanted["processes"]),
        "stop_timeout": order["stop_seconds"],
        "restart_policy": "no",
        "security_opt": ["no-new-privileges"],
        "cap_drop": ["ALL"],
        "cap_add": wanted["capabilities"],
        "network": [order["network"]],
        "network_aliases": [wanted["service"]],
        "ip": place.known[wanted["name"]],
        "etc_hosts": {name: ip for name, ip in others.items() if name != wanted["service"]},
        "log_driver": "k8s-file",
        "log_opt": {"max_size": LOG_MAX},
        "env": dict(wanted["env"]),
        "publish": [f"{address}:{host}:{port}/{kind}" for address, host, port, kind in wanted["publish"]],
        "volume": [f"{name}:{path}" for name, path in place.volumes],
        "command": wanted["args"],
    }
    if wanted["command"]:
        found["entrypoint"] = json.dumps(wanted["command"])
    if wanted["read_only"] or place.read_only:
        found |= {"read_only": True, "tmpfs": {"/tmp": "rw", "/run": "rw"}}  # noqa: S108  # a container's own
    return {name: value for name, value in found.items() if value not in ([], {})}


class Place:
    """What this host adds to a container: its address, its neighbours', volumes, GPUs, files of secrets."""

    def __init__(self, is_podman: bool, known: dict[str, str]) -> None:
        self.is_podman = is_podman
        self.known = known
        self.volumes: list[tuple[str, str]] = []
        self.secrets: list[str] = []
        self.gpus = ""
        self.read_only = False


def _names(order: Order, wanted: Wanted, place: Place) -> list[str]:
    """podman: a fixed address, and the others' names; docker resolves the aliases itself."""
    if not place.is_podman:
        return []
    others = [each for each in order["containers"] if each["name"] != wanted["name"]]
    hosts = [f"--add-host={each['service']}:{place.known[each['name']]}" for each in others]
    return [f"--ip={place.known[wanted['name']]}", *hosts]


def _gpu_words(place: Place) -> list[str]:
    if place.is_podman:
        return [f"--device=nvidia.com/gpu={each}" for each in place.gpus.split(",")]
    return [f'--gpus="device={place.gpus}"']


def _program(wanted: Wanted, place: Place) -> list[str]:
    """The entry point: podman takes a list as JSON, docker one word."""
    command = wanted["command"]
    if not command:
        return []
    return [f"--entrypoint={json.dumps(command) if place.is_podman else command[0]}"]


def _arguments(wanted: Wanted, place: Place) -> list[str]:
    rest = [] if place.is_podman else wanted["command"][1:]
    return [*rest, *wanted["args"]]


def is_up(there: Container) -> bool:
    """Whether it runs."""
    return bool(there["State"]["Status"] == "running")


def labels_of(there: Container) -> dict[str, str]:
    """What a container that is there says of itself."""
    return there["Config"].get("Labels") or {}


def name_of(there: Container) -> str:
    """docker writes a stroke before it."""
    return str(there["Name"]).lstrip("/")


def differs(wanted: Wanted, there: Container, made: str | None) -> list[str]:
    """How what is there is not what we made, in words. `made` is the id of the one that we made, where it is
    known: an engine changes nothing of a container but its limits and networks, and shows some things
    otherwise than they were given.
    """
    name, limits, config = wanted["name"], there["HostConfig"], there["Config"]
    if labels_of(there).get(SPEC) != wanted["spec"]:
        return [f"{name} is of another specification"]
    found = []
    if limits.get("Memory") != wanted["memory_bytes"]:
        found.append(f"{name} may use {limits.get('Memory')} bytes, not {wanted['memory_bytes']}")
    if limits.get("NanoCpus") != wanted["cpu_milli"] * 1_000_000:
        found.append(f"{name} may use other than {wanted['cpu_milli']}m cpu")
    if limits.get("Privileged"):
        found.append(f"{name} is privileged")
    if wanted["network"] not in ((there.get("NetworkSettings") or {}).get("Networks") or {}):
        found.append(f"{name} is not in its network")
    if made is not None:
        return found if there["Id"] == made else [*found, f"{name} is another than the one that we made"]
    if not _same_image(config.get("Image") or "", wanted["image"]):
        found.append(f"{name} has another image")
    has = {_plain(each) for each in config.get("Env") or ()}
    found += [
        f"{name} has another {key}" for key, value in wanted["env"] if _plain(f"{key}={value}") not in has
    ]
    return found


def _plain(text: str) -> str:
    """podman shows the end of a line in one way only."""
    return text.replace("\r\n", "\n")


def _same_image(shown: str, wanted: str) -> bool:
    """Engines write the registry and the tag that a short name leaves out."""
    stem = wanted if "@" in wanted or ":" in wanted.rsplit("/", 1)[-1] else f"{wanted}:latest"
    return shown in (wanted, stem) or shown.endswith(f"/{stem}")
