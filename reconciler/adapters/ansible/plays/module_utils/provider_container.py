"""Engine options of one container, and its drift from its specification. Runs on the host; pure."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
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
    label_options,
)

Spec = dict[str, Any]
"""A workload, as the daemon's `host_spec` makes it."""

ContainerSpec = dict[str, Any]
"""One of a workload's `containers`."""

Container = dict[str, Any]
"""A container as the engine's `inspect` shows it."""

LOG_MAX = "10m"
FIRST_ADDRESS = 10
ADDRESSES = 200


@dataclass
class HostBindings:
    """What this host adds to a container; `addresses` are those of all containers of the workload by name,
    `gpus` device numbers separated by commas.
    """

    is_podman: bool
    addresses: dict[str, str]
    volumes: list[tuple[str, str]] = field(default_factory=list)
    env_files: list[str] = field(default_factory=list)
    gpus: str = ""
    read_only: bool = False


def assign_addresses(spec: Spec, subnet: str, existing: Iterable[Container]) -> dict[str, str]:
    """Each container's address in the lease's network, by name; an existing container keeps its own."""
    network = ipaddress.ip_network(subnet)
    used = {name_of(each): labels_of(each).get(ADDRESS, "") for each in existing}
    names = [each["name"] for each in spec["containers"]]
    kept = {
        name: used[name] for name in names if used.get(name) and ipaddress.ip_address(used[name]) in network
    }
    last = min(FIRST_ADDRESS + ADDRESSES, network.num_addresses - 1)
    free = [a for n in range(FIRST_ADDRESS, last) if (a := str(network[n])) not in used.values()]
    unassigned = [name for name in names if name not in kept]
    if len(unassigned) > len(free):
        raise EngineError("network", f"{len(names)} containers are too many for the network {subnet}")
    return {**kept, **dict(zip(unassigned, free))}  # noqa: B905  # hosts may have Python 3.9


def create_options(spec: Spec, container: ContainerSpec, bindings: HostBindings) -> list[str]:
    """The words after `create`: each option with its value in one word, then image and arguments."""
    memory = str(container["memory_bytes"])
    is_podman = bindings.is_podman
    words = [
        f"--name={container['name']}",
        *label_options(_labels(spec, container, bindings)),
        f"--memory={memory}",
        f"--memory-swap={memory}",
        f"--cpus={container['cpu_milli'] / 1000:g}",
        f"--pids-limit={container['pids_limit']}",
        f"--stop-timeout={spec['stop_seconds']}",
        "--restart=no",
        "--security-opt=no-new-privileges",
        "--cap-drop=ALL",
        *(f"--cap-add={each}" for each in container["capabilities"]),
        f"--network={spec['network']}",
        f"--network-alias={container['service']}",
        f"--log-driver={'k8s-file' if is_podman else 'json-file'}",
        f"--log-opt=max-size={LOG_MAX}",
        *(f"--env={name}={value}" for name, value in container["env"]),
        *(f"--env-file={path}" for path in bindings.env_files),
        *(
            f"--publish={address}:{host}:{port}/{protocol}"
            for address, host, port, protocol in container["publish"]
        ),
        *(f"--volume={name}:{path}" for name, path in bindings.volumes),
        *(_host_options(spec, container, bindings) if is_podman else []),
    ]
    if container["read_only"] or bindings.read_only:
        words += ["--read-only", "--tmpfs=/tmp", "--tmpfs=/run"]
    if container["storage_quota"] and container["storage_bytes"]:
        words.append(f"--storage-opt=size={container['storage_bytes']}")
    if bindings.gpus and is_podman:
        words += [f"--device=nvidia.com/gpu={each}" for each in bindings.gpus.split(",")]
    elif bindings.gpus:
        words.append(f'--gpus="device={bindings.gpus}"')
    command = container["command"]
    if command:
        words.append(f"--entrypoint={json.dumps(command) if is_podman else command[0]}")
    rest = [] if is_podman else command[1:]
    return [*words, container["image"], *rest, *container["args"]]


def _labels(spec: Spec, container: ContainerSpec, bindings: HostBindings) -> dict[str, str]:
    """Sets every ownership label, because the image may set them too."""
    return {
        MANAGED_BY: MANAGER,
        WORKLOAD: spec["workload"],
        LEASE: spec["lease"],
        SERVICE: container["service"],
        INDEX: str(container["index"]),
        SPEC: container["spec_hash"],
        ADDRESS: bindings.addresses.get(container["name"], ""),
        GPUS: bindings.gpus,
    }


def _host_options(spec: Spec, container: ContainerSpec, bindings: HostBindings) -> list[str]:
    """A fixed address and the names of the other containers; docker resolves the aliases itself."""
    others = [each for each in spec["containers"] if each["name"] != container["name"]]
    hosts = [f"--add-host={each['service']}:{bindings.addresses[each['name']]}" for each in others]
    return [f"--ip={bindings.addresses[container['name']]}", *hosts]


def is_up(container: Container) -> bool:
    """Whether it runs."""
    return bool(container["State"]["Status"] == "running")


def labels_of(container: Container) -> dict[str, str]:
    """Its labels; empty if it has none."""
    return container["Config"].get("Labels") or {}


def name_of(container: Container) -> str:
    """docker writes a slash before it."""
    return str(container["Name"]).lstrip("/")


def container_drift(spec: ContainerSpec, container: Container, created: str | None) -> list[str]:
    """How an existing container differs from its specification, as sentences.

    `created` is the id of the container that we created, if known: then image and environment need no
    comparison, because engines change only limits and networks of an existing container.
    """
    name, limits, config = spec["name"], container["HostConfig"], container["Config"]
    if labels_of(container).get(SPEC) != spec["spec_hash"]:
        return [f"{name} has another specification"]
    found = []
    if limits.get("Memory") != spec["memory_bytes"]:
        found.append(f"{name} has a memory limit of {limits.get('Memory')} bytes, not {spec['memory_bytes']}")
    if limits.get("NanoCpus") != spec["cpu_milli"] * 1_000_000:
        found.append(f"{name} has a CPU limit other than {spec['cpu_milli']}m")
    if limits.get("Privileged"):
        found.append(f"{name} is privileged")
    if spec["network"] not in ((container.get("NetworkSettings") or {}).get("Networks") or {}):
        found.append(f"{name} is not connected to its network")
    if created is not None:
        return found if container["Id"] == created else [*found, f"{name} was replaced by another container"]
    if not _is_same_image(config.get("Image") or "", spec["image"]):
        found.append(f"{name} has another image")
    env = {_unix_newlines(each) for each in config.get("Env") or ()}
    changed = [key for key, value in spec["env"] if _unix_newlines(f"{key}={value}") not in env]
    return found + [f"{name} has another value of {key}" for key in changed]


def _unix_newlines(text: str) -> str:
    """podman shows CRLF as LF."""
    return text.replace("\r\n", "\n")


def _is_same_image(shown: str, wanted: str) -> bool:
    """Engines add the registry and the tag that a short name omits."""
    full = wanted if "@" in wanted or ":" in wanted.rsplit("/", 1)[-1] else f"{wanted}:latest"
    return shown in (wanted, full) or shown.endswith(f"/{full}")
