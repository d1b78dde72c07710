"""SIMULATOR: a devnet's directory: its files, and the ports that it used last."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reconciler.devnet.accounts import CHAIN_ID, key_of, names
from reconciler.devnet.errors import DevnetError

SIMULATED = "SIMULATOR: chain, coins, tenants and (unless a kubeconfig was given) the cluster are simulated"


@dataclass(frozen=True, slots=True)
class DevnetPorts:
    """Ports on 127.0.0.1; 0 is any free one."""

    grpc: int = 0
    rpc: int = 0
    cluster: int = 0
    api: int = 0
    metrics: int = 0
    gateway: int = 0


@dataclass(frozen=True, slots=True)
class BlockPace:
    """Seconds between blocks, and seconds after which withdrawals and usage are due."""

    block_seconds: float = 1.0
    due_seconds: int = 40


@dataclass(frozen=True, slots=True)
class Facts:
    """The contents of `devnet.json`: ports, pace, a given cluster's kubeconfig ("": simulated), the process
    that runs it (0: none), and whether workloads may run as containers on this machine.
    """

    ports: DevnetPorts = DevnetPorts()
    pace: BlockPace = BlockPace()
    kubeconfig: str = ""
    pid: int = 0
    this_machine: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of a devnet."""

    directory: Path

    @property
    def facts_file(self) -> Path:
        """Addresses, for other programs."""
        return self.directory / "devnet.json"

    @property
    def host_file(self) -> Path:
        """The host file for `provider-daemon run --host`."""
        return self.directory / "host.yaml"

    @property
    def kubeconfig(self) -> Path:
        """The simulated cluster's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def repository(self) -> Path:
        """The state repository, bare."""
        return self.directory / "state.git"

    @property
    def records(self) -> Path:
        """The storage path for containers on this machine."""
        return (self.directory / "records").resolve()

    @property
    def keyring(self) -> Path:
        """A keyring of the `test` backend with the keys of all accounts."""
        return self.directory / "keyring"

    @property
    def certificate(self) -> Path:
        """The gateway's certificate, which is its own authority, and beside it its key (.key)."""
        return self.directory / "gateway.pem"

    @property
    def identity(self) -> Path:
        """The age identity for sealed values."""
        return self.directory / "identity.age"

    @property
    def blocks(self) -> Path:
        """The simulated chain's blocks."""
        return self.directory / "chain" / "blocks.jsonl"

    @property
    def cluster(self) -> Path:
        """The simulated cluster's objects."""
        return self.directory / "cluster"

    def facts(self) -> Facts:
        """The facts written last, or the initial ones."""
        if not self.facts_file.exists():
            return Facts()
        try:
            return _facts(json.loads(self.facts_file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise DevnetError(
                f"{self.facts_file} was not written by a devnet ({error}); choose another --home"
            ) from None

    def running(self) -> Facts:
        """The facts of a running devnet; DevnetError where none runs."""
        facts = self.facts()
        if not facts.pid or not _is_running(facts.pid):
            raise DevnetError(
                f"no devnet runs in {self.directory}; start one with "
                f"`provider-daemon devnet --home {self.directory}`"
            )
        return facts

    def write_facts(self, facts: Facts) -> None:
        """Write `devnet.json` atomically."""
        ports = asdict(facts.ports)
        document = {
            "what": SIMULATED,
            "chain_id": CHAIN_ID,
            "grpc": f"127.0.0.1:{facts.ports.grpc}",
            "rpc": f"http://127.0.0.1:{facts.ports.rpc}",
            "api": f"http://127.0.0.1:{facts.ports.api}",
            "metrics": f"http://127.0.0.1:{facts.ports.metrics}/metrics",
            "gateway": gateway_url(facts),
            "gateway_ca": str(self.certificate),
            "kubeconfig": facts.kubeconfig or str(self.kubeconfig),
            "host": str(self.host_file),
            "repository": str(self.repository),
            "addresses": {name: key_of(name).address for name in names()},
            "pid": facts.pid,
            "restart": {
                "ports": ports,
                "pace": asdict(facts.pace),
                "kubeconfig": facts.kubeconfig,
                "this_machine": facts.this_machine,
            },
        }
        draft = self.facts_file.with_suffix(".new")
        draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.facts_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the directory; DevnetError names the devnet that holds it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.directory / "devnet.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise DevnetError(
                f"another devnet (process {self.facts().pid}) runs in {self.directory}; stop it, or choose "
                "another --home"
            ) from None
        finally:
            os.close(handle)


def gateway_url(facts: Facts) -> str:
    """The tenants' gateway; its certificate names localhost."""
    return f"https://localhost:{facts.ports.gateway}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _facts(document: dict[str, Any]) -> Facts:
    stored = document["restart"]
    return Facts(
        DevnetPorts(**stored["ports"]),
        BlockPace(**stored["pace"]),
        stored["kubeconfig"],
        document["pid"],
        stored["this_machine"],
    )


class ReservedPorts:
    """Ports on 127.0.0.1: the wanted ones where they are free, else others; no port twice.

    Each is bound and does not listen, so the kernel gives it to no program that takes any free port, while
    the program it is meant for, which binds it by number with SO_REUSEADDR, may listen on it.
    """

    def __init__(self, wanted: DevnetPorts) -> None:
        self._sockets = {name: _bind(port) for name, port in asdict(wanted).items()}
        self.ports = DevnetPorts(**{name: s.getsockname()[1] for name, s in self._sockets.items()})

    def release(self, *names: str) -> None:
        """Give up these, or all; for servers that bind without SO_REUSEADDR."""
        for name in names or tuple(self._sockets):
            self._sockets.pop(name).close()


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.bind(("127.0.0.1", 0))
    return bound
