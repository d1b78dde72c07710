"""What plain hosts cost: a look at 20 hosts of 50 containers beside ansible-playbook by hand, and, where
podman is, seconds to deploy and to repair.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import (
    apply_request,
    apply_task,
    host_request,
    host_spec_of,
    network_name,
)
from reconciler.adapters.ansible.plays.module_utils.provider_engine import Engine as HostEngine
from reconciler.adapters.ansible.plays.module_utils.provider_records import Records
from reconciler.adapters.ansible.plays.module_utils.provider_workload import HostContext, apply
from reconciler.adapters.ansible.responses import ObservedHost
from reconciler.adapters.ansible.runner import PLAYBOOK, AnsibleRunner, Play
from reconciler.devnet.podman import build, prepare_podman
from reconciler.values.desired import Port, Workload
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine
from tests.adapters.ansible.makers import host_spec
from tests.contracts.adapter_backends import service, workload
from tests.contracts.fake_podman import FakeHost, FakePodman
from tests.contracts.host_backends import HostBackend, open_hosts, settings_of

HOSTS, CONTAINERS, ROUNDS = 20, 50, 3
SCRIPT = """#!/bin/sh
case "$1" in
ps) cat {here}/ids ;;
container) cat {here}/containers.json ;;
network) cat {here}/networks ;;
esac
"""


def bench_hosts() -> None:
    """Figures of one run on one machine."""
    with tempfile.TemporaryDirectory(prefix="provider-bench-") as scratch:
        _bench_look(Path(scratch))
    if shutil.which("podman") is not None:
        with tempfile.TemporaryDirectory(prefix="provider-bench-") as scratch:
            _bench_podman(Path(scratch))


def _bench_look(scratch: Path) -> None:
    """The adapter's play, run by the adapter and by ansible-playbook in turns."""
    settings = _simulated(scratch)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{scratch / 'bin'}{os.pathsep}{path}"
    runs = AnsibleRunner(settings, HostCredentials(), scratch / "runs")
    play = _look(settings)
    through, by_hand = [], []
    for _ in range(ROUNDS):
        through.append(_timed(lambda: _check(runs, play)))
        by_hand.append(_timed(lambda: _by_hand(runs, play, scratch)))
    os.environ["PATH"] = path
    ours, theirs = median(through), median(by_hand)
    print(
        f"look at {HOSTS} hosts x {CONTAINERS} containers: {ours:.1f} s; "
        f"ansible-playbook by hand {theirs:.1f} s; ratio {ours / theirs:.2f}"
    )


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _check(runs: AnsibleRunner, play: Play) -> None:
    answers = runs.run(play)
    seen = [json.loads(each.response) for each in answers.values()]
    assert len(seen) == HOSTS
    assert all(len(ObservedHost(each["workloads"]).workloads) == CONTAINERS for each in seen)
    assert not any(view["differences"] for each in seen for view in each["workloads"].values())


def _by_hand(runs: AnsibleRunner, play: Play, scratch: Path) -> None:
    """Run ansible-playbook with the same playbook, inventory and specifications."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        here = Path(name)
        runs.prepare(here, play)
        words = ["ansible-playbook", "-i", "hosts.json", "--forks", "10"]
        words += ["--check", "--diff"] if play.check_mode else []
        done = subprocess.run(
            [*words, str(PLAYBOOK)],
            cwd=here,
            env=runs.environment(here),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _look(settings: AnsibleSettings) -> Play:
    asked = host_request("observe", ContainerEngine.PODMAN, settings, 100)
    return Play("observe", settings.groups[0], dict.fromkeys(settings.hosts, asked), 120, check_mode=True)


def _simulated(scratch: Path) -> AnsibleSettings:
    """Hosts on this machine, with an engine that answers from files."""
    engine, records = FakePodman(FakeHost()), Records(str(scratch / "records"))
    host = engine.host
    for number in range(1, CONTAINERS + 1):
        apply(HostContext(engine, records, {}), host_spec(workload(number, service())))
    here = scratch / "bin"
    here.mkdir()
    there = list(host.containers.values())
    (here / "ids").write_text("".join(f"{each['Id']}\n" for each in there))
    (here / "containers.json").write_text(json.dumps(there))
    (here / "networks").write_text("".join(f"{network_name(workload(n).id)}\n" for n in range(1, 51)))
    (here / "podman").write_text(SCRIPT.format(here=here))
    (here / "podman").chmod(0o755)
    hosts = tuple(AnsibleHost(f"host-{n}", LOCALHOST) for n in range(HOSTS))
    return AnsibleSettings(
        enabled=True, groups=(AnsibleGroup("rack", hosts),), storage=str(scratch / "records")
    )


def _bench_podman(scratch: Path) -> None:
    """The time from an apply to a real container's answer, and after a kill."""
    prepare_podman(scratch)
    build("registry.example/web:1")
    engine = HostEngine("podman", 3_600)
    settings = settings_of(scratch / "records", 2)
    backend = open_hosts(settings, scratch, engine, None)
    wanted = workload(900, service(ports=(Port(8080, 18_090, public=True),)))
    runs, part = (
        AnsibleRunner(settings, HostCredentials(), scratch / "by-hand"),
        apply_task(host_spec_of(wanted, "d", settings)),
    )
    asked = apply_request([part], ContainerEngine.PODMAN, settings)
    play = Play("apply", settings.groups[0], {"one": asked}, 120)
    deploys, repairs, by_hand = [], [], []
    try:
        for _ in range(ROUNDS):
            deploys.append(_timed(lambda: _run(backend, wanted)))
            engine.run("kill", "kill", f"web-{wanted.id}-0")
            repairs.append(_timed(lambda: _repair(backend, wanted)))
            backend.adapter.remove(wanted.id)
            backend.until_gone(wanted.id)
            by_hand.append(_timed(lambda: _by_hand(runs, play, scratch)))
            backend.until(wanted.id, lambda r: r.ready, "seen")
            backend.adapter.remove(wanted.id)
            backend.until_gone(wanted.id)
    finally:
        backend.adapter.close()
        backend.sweep()
    print(
        f"a container on this machine: deployed in {median(deploys):.1f} s "
        f"(ansible-playbook by hand {median(by_hand):.1f} s), "
        f"a kill noticed and repaired in {median(repairs):.1f} s (looked at every 2 s)"
    )


def _run(backend: HostBackend, wanted: Workload) -> None:
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")


def _repair(backend: HostBackend, wanted: Workload) -> None:
    backend.until(wanted.id, lambda r: r.drifted, "noticed")
    _run(backend, wanted)
