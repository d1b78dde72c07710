"""Which host a workload goes to: one that has room for all of it, the same each time; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from reconciler.adapters.ansible.host_spec import public_ports
from reconciler.values.desired import Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.outcomes import Failed, Refused
from reconciler.values.resources import Attribute, Resources


@dataclass(frozen=True, slots=True)
class FreeRoom:
    """A host that answers: what is free on it, what it is, and which ports workloads of ours have."""

    host: str
    free: Resources
    attributes: tuple[Attribute, ...] = ()
    ports: frozenset[int] = frozenset()


def choose(workload: Workload, rooms: Sequence[FreeRoom], known: Collection[str]) -> str | Failed:
    """The host with most room left, by its name where two have as much; `known` are the keys of attributes by
    which hosts are told apart.
    """
    if not rooms:
        return Failed("HostUnseen", "no host answers", "see the conditions of the hosts")
    whys = {room.host: unfit(workload, room, known) for room in rooms}
    fitting = [room for room in rooms if not whys[room.host]]
    if not fitting:
        told = "; ".join(f"{host}: {why}" for host, why in sorted(whys.items())[:3])
        more = f"; and {len(whys) - 3} more hosts" if len(whys) > 3 else ""
        advice = "free or add hosts in adapters/ansible.yaml; one host must hold all of a workload"
        return Failed(
            "Unschedulable", f"no host has room for {workload.resources.show()}: {told}{more}", advice
        )
    return max(fitting, key=lambda r: (r.free.cpu_milli, r.free.memory_bytes, _reversed(r.host))).host


def unfit(workload: Workload, room: FreeRoom, known: Collection[str]) -> str:
    """Why a workload cannot be on that host; "" where it can."""
    if short := room.free.lacks(workload.resources):
        return f"too little {', '.join(short)}"
    has = dict(room.attributes)
    for key, value in workload.attributes:
        if key in known and has.get(key) != value:
            return f"its {key} is {has.get(key, 'not told')}, not {value}"
    taken = sorted(room.ports & {port for port, _ in public_ports(workload)})
    return f"port {taken[0]} is another workload's" if taken else ""


def refused(workload: Workload, settings: AnsibleSettings) -> Refused | None:
    """What no host may ever do."""
    lowest, highest = settings.ports
    ports = public_ports(workload)
    for port, _ in ports:
        if not lowest <= port <= highest:
            why = f"public port {port} is not between {lowest} and {highest}"
            return Refused("Invalid", why, "expose another, or widen network.ports in adapters/ansible.yaml")
    if twice := _twice(ports):
        return Refused("Invalid", f"public port {twice} is exposed twice", "give each a port of its own")
    return None


def _twice(ports: Iterable[tuple[int, str]]) -> int:
    seen: set[tuple[int, str]] = set()
    for each in ports:
        if each in seen:
            return each[0]
        seen.add(each)
    return 0


def _reversed(name: str) -> tuple[int, ...]:
    """So that the first name by the alphabet is the greatest."""
    return tuple(-ord(letter) for letter in name)
