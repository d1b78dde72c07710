"""Plain hosts for the adapter contract: simulated ones, and this machine with its podman."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reconciler.adapters.ansible.adapter import AnsibleAdapter, AnsibleEnvironment
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.plays.module_utils import provider_records
from reconciler.adapters.ansible.plays.module_utils.provider_engine import Engine, EngineError
from reconciler.adapters.ansible.plays.module_utils.provider_records import Records
from reconciler.adapters.ansible.plays.module_utils.provider_requests import respond
from reconciler.adapters.ansible.plays.module_utils.provider_workload import HostContext, remove
from reconciler.adapters.ansible.runner import HostResult, Play, PlayRunner
from reconciler.devnet.podman import SERVE, build, prepare_podman
from reconciler.values.desired import Workload
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost, AnsibleSettings, Timeouts
from reconciler.values.ids import WorkloadId
from reconciler.values.resources import Resources
from tests.contracts.adapter_backends import AdapterBackend
from tests.contracts.fake_podman import FakeHost, FakePodman

ROOMY = Resources(64_000, 64 << 30, 256 << 30)
TENANT = "virtengine1tenant"


class FakeRunner:
    """Runs requests in-process, with a simulated podman for each host."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.hosts: dict[str, FakeHost] = {}
        self.results: dict[str, HostResult | Exception] = {}

    def host(self, host: str) -> FakeHost:
        return self.hosts.setdefault(host, FakeHost())

    def run(self, play: Play) -> Mapping[str, HostResult]:
        return {
            host: self._one(play, host, json.loads(json.dumps(request)))
            for host, request in play.requests.items()
        }

    def close(self) -> None:
        """Nothing is in flight."""

    def _one(self, play: Play, host: str, request: dict[str, Any]) -> HostResult:
        result = self.results.get(host)
        if isinstance(result, Exception):
            raise result
        if result is not None:
            return result
        request["directory"] = str(self._directory / host)
        records = Records(request["directory"])
        try:
            response, _ = respond(request, FakePodman(self.host(host)), records, check_mode=play.check_mode)
        except EngineError as why:
            return HostResult("failed", str(why), why.step)
        return HostResult("ok", response=json.dumps(response).encode())


@dataclass
class HostBackend(AdapterBackend):
    """Hosts with an adapter; `engine` is that of the host `one`."""

    adapter: AnsibleAdapter
    wakes: list[float]
    engine: Engine
    settings: AnsibleSettings
    first_event: str = "create"
    lock: IO[str] | None = None

    def __post_init__(self) -> None:
        self.inspector = self.adapter

    def restart_exited(self, wanted: Workload) -> None:
        """Only the planner restarts containers on a host."""
        found = self.running(wanted.id)
        if found is not None and found.drifted:
            self.adapter.apply(wanted, "d")

    def versions(self, subject: WorkloadId) -> list[str]:
        return [f"{c['Id']} {c['State'].get('StartedAt')}" for c in self._of(subject)]

    def objects_of(self, subject: WorkloadId) -> list[str]:
        return sorted(str(c["Name"]) for c in self._of(subject))

    def is_up(self, subject: WorkloadId) -> bool:
        return any(c["State"]["Status"] == "running" for c in self._of(subject))

    def modify(self, kind: str, subject: WorkloadId) -> None:
        name = f"web-{subject}-0"
        [there] = [c for c in self._of(subject) if c["Name"] == name]
        labels = [f"--label={key}={value}" for key, value in there["Config"]["Labels"].items()]
        limits = ("--memory=67108864", "--cpus=0.1", f"--network=lease-{subject}")
        match kind:
            case "more":
                self._run("create", f"--name=more-{subject}", *labels, "registry.example/web:1")
            case "deleted":
                self._run("rm", "--force", name)
            case "disconnected":
                self._run("network", "disconnect", f"lease-{subject}", name)
            case _:
                image = "registry.example/evil:1" if kind == "image" else "registry.example/web:1"
                mode = "a" if kind == "image" else "b"
                self._run("rm", "--force", name)
                self._run("create", f"--name={name}", *labels, *limits, f"--env=MODE={mode}", image)
                self._run("start", name)

    def create_foreign(self, subject: WorkloadId) -> str:
        self._run("create", f"--name=web-{subject}-0", "registry.example/web:1")
        return self.foreign_version(subject)

    def foreign_version(self, subject: WorkloadId) -> str:
        [found] = self.engine.inspect("container", [f"web-{subject}-0"])
        return str(found["Id"])

    def create_lookalike(self, subject: WorkloadId) -> str:
        name, label = f"foreign-{subject}", f"--label=virtengine.com/workload={subject}"
        self._run("create", f"--name={name}", label, "registry.example/web:1")
        return name

    @contextmanager
    def foreign_load(self, cpu_milli: int) -> Iterator[None]:
        self._run("create", "--name=foreign", f"--cpus={cpu_milli / 1000:g}", "registry.example/web:1")
        self._run("start", "foreign")
        try:
            yield
        finally:
            self._run("rm", "--force", "foreign")

    def sweep(self) -> None:
        """Remove what the tests made, and nothing else."""
        for each in self.engine.containers():
            if each["Name"].startswith(("foreign", "more-", "web-")) and _is_ours(each["Config"]["Labels"]):
                self._run("rm", "--force", each["Name"])
        for name in self.engine.owned("network"):
            [found] = self.engine.inspect("network", [name])
            if _is_ours(found["labels"]):
                remove(
                    HostContext(self.engine, Records(self.settings.storage), {}), name.removeprefix("lease-")
                )

    def _of(self, subject: WorkloadId) -> list[dict[str, Any]]:
        labels = ((each["Config"]["Labels"], each) for each in self.engine.containers())
        return [each for found, each in labels if (found or {}).get("virtengine.com/workload") == subject]

    def _run(self, *words: str) -> str:
        return self.engine.run("test", *words)


def _is_ours(labels: Mapping[str, str] | None) -> bool:
    """Of the contract's tenant, or without an owner: never of a provider that runs on this machine."""
    return (labels or {}).get("virtengine.com/lease", TENANT).startswith(TENANT)


def settings_of(storage: Path, observe_every_seconds: float, *hosts: AnsibleHost) -> AnsibleSettings:
    return AnsibleSettings(
        enabled=True,
        groups=(AnsibleGroup("here", hosts or (AnsibleHost("one", LOCALHOST, capacity=ROOMY),)),),
        publish="127.0.0.1",
        storage=str(storage),
        observe_every_seconds=observe_every_seconds,
        timeouts=Timeouts(stop=1),
    )


def open_hosts(
    settings: AnsibleSettings, scratch: Path, engine: Engine, runner: PlayRunner | None
) -> HostBackend:
    wakes: list[float] = []
    site = AnsibleEnvironment(settings, HostCredentials(), scratch / "state", scratch / "runs")
    adapter = AnsibleAdapter(site, lambda: wakes.append(time.monotonic()), runner)
    adapter.start()
    adapter.observe()
    return HostBackend(adapter, wakes, engine, settings)


def fake_hosts(scratch: Path) -> HostBackend:
    """A simulated host; restarts do not back off."""
    provider_records.BACKOFF_FIRST_SECONDS = 0  # restored by close_hosts
    runner = FakeRunner(scratch / "hosts")
    engine = FakePodman(runner.host("one"))
    return open_hosts(settings_of(scratch / "hosts", 0.05), scratch, engine, runner)


def podman_host(scratch: Path) -> HostBackend:
    """This machine, which must have podman. One test process at a time, because containers are shared."""
    lock = (Path(tempfile.gettempdir()) / "provider-contract-podman.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    prepare_podman(scratch)
    build_images()
    backend = open_hosts(settings_of(scratch / "records", 0.5), scratch, Engine("podman", 3_600), None)
    backend.lock = lock
    return backend


def close_hosts(backend: HostBackend) -> None:
    backend.adapter.close()
    backend.sweep()
    provider_records.BACKOFF_FIRST_SECONDS = 10  # as it was
    if backend.lock is not None:
        backend.lock.close()


def has_podman() -> bool:
    return shutil.which("podman") is not None


def build_images() -> None:
    """The images that the contract tests name."""
    texts = {
        "web:1": f"CMD {SERVE}",
        "web:2": f"LABEL number=2\nCMD {SERVE}",
        "evil:1": f"LABEL evil=1\nCMD {SERVE}",
        "unready:1": f'HEALTHCHECK CMD ["/busybox", "false"]\nCMD {SERVE}',
        "crash:1": 'CMD ["/busybox", "false"]',
    }
    for name, text in texts.items():
        build(f"registry.example/{name}", text)
