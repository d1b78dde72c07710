"""Checking a pull request as CI does: cold processes, compared with check-jsonschema on the same files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from reconciler.documents.planning_snapshot import planning_snapshot_files
from reconciler.documents.schemas import ALL, schemas
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, WalletLedger, WorkloadMemory
from reconciler.values.observed import AdapterView, ObservedWorkload
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.readings import Seen
from tests import makers
from tests.bench import holdings
from tests.bench.figures import show, wall_ms
from tests.bench.holdings import PROVIDER, file_of, path_of
from tests.git.forge import Forge

BIN = Path(sys.executable).parent
CONFIG = f"apiVersion: provider.virtengine.dev/v1beta1\nkind: Config\nprovider: {PROVIDER}\n"
TEMPLATE = Path(__file__).parents[2] / "state-repo-template"
OTHERS = ("pricing.yaml", "adapters/kubernetes.yaml", "adapters/ansible.yaml")
TIMES = 5


def bench_validating(workloads: int, leases: int) -> None:
    """In turns, so that what else the machine does hits all alike; the plan is of a change of prices."""
    with tempfile.TemporaryDirectory() as directory:
        forge = Forge.make(Path(directory, "state"))
        files = _files(workloads)
        _commit(forge, files, leases)
        schema = Path(directory, ALL)
        schema.write_text(schemas()[ALL])
        daemon = str(BIN / "provider-daemon")
        commands = (
            [str(BIN / "check-jsonschema"), "--schemafile", str(schema), *files],
            [daemon, "validate", "."],
            [daemon, "plan", "--offline", "--base", "main", "--head", "HEAD"],
        )

        def run(command: list[str]) -> float:
            return wall_ms(lambda: subprocess.run(command, cwd=forge.path, check=False, capture_output=True))

        taken = [[run(command) for command in commands] for _ in range(TIMES)]
        told = subprocess.run(commands[2], cwd=forge.path, check=False, capture_output=True)
        assert b"cpu_millicores" in told.stdout, told.stderr
    theirs, ours, plan = (median(each) for each in zip(*taken, strict=True))
    show(f"check-jsonschema of {len(files)} files, cold", f"{theirs:.0f} ms")
    show(f"validate of the same {len(files)} files, cold", f"{ours:.0f} ms", f"{ours / theirs:.2f} x that")
    show(f"plan --offline of them with {leases} leases", f"{plan:.0f} ms", f"{plan / theirs:.2f} x that")


def _files(workloads: int) -> dict[str, bytes]:
    files = {path: (TEMPLATE / path).read_bytes() for path in OTHERS} | {"config.yaml": CONFIG.encode()}
    return files | {path_of(n): file_of(n) for n in range(1, workloads + 1)}


def _commit(forge: Forge, files: dict[str, bytes], leases: int) -> None:
    """A base, the snapshot of a daemon that has applied it, and a change of prices on top."""
    _write(forge, files)
    base = forge.commit("The state")
    good = {path: forge.git("rev-parse", f"HEAD:{path}") for path in (*OTHERS, "config.yaml")}
    forge.git("switch", "--quiet", "--orphan", "snapshot/p")
    _write(forge, planning_snapshot_files(_outlook(leases, base, good)))
    forge.commit("What is seen")
    forge.git("switch", "--quiet", "main")
    forge.git("switch", "--quiet", "-c", "change")
    dearer = files["pricing.yaml"].replace(b"cpu_millicores: ", b"cpu_millicores: 1")
    _write(forge, {"pricing.yaml": dearer})
    forge.commit("Dearer")


def _write(forge: Forge, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = forge.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _outlook(leases: int, applied: str, good: dict[str, str]) -> PlanningSnapshot:
    """So many running leases, at the present time."""
    market = holdings.market(leases)
    running = {
        workload_id(lease): ObservedWorkload(
            workload_id(lease), lease, "d" * 64, False, True, 1, 1, pods=(f"web-{number}",)
        )
        for number, lease in enumerate(market.leases)
    }
    known = {
        name: WorkloadMemory(there.lease, "kubernetes", Phase.RUNNING, digest=there.digest, pods=there.pods)
        for name, there in running.items()
    }
    capacity = makers.adapter()["kubernetes"].capacity
    memory = Memory(applied, good, known, ledger=WalletLedger(1), height=market.height, sequence=7)
    adapters = {"kubernetes": AdapterView(Seen(running), capacity)}
    return PlanningSnapshot("p", int(time.time()), market, adapters, memory, Limits(clock_skew_seconds=10**9))
