"""The operator's commits to the desired branch, with git's command and reproducible bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from subprocess import run

from reconciler.values.clusters import IngressController, IngressSettings
from reconciler.values.ids import LeaseId, workload_id

INGRESS = IngressSettings(IngressController.NGINX, "nginx", "apps.example.com", "ingress-nginx")
"""Host names for the orders of the scenario, which expose HTTP."""

BRANCH = "refs/heads/main"
FIRST_AT = 1_799_999_000

CONFIG = """\
bidding: {break_even: 24h}
withdrawals: {every: 8s, min_gain: 1uve, fee_percent_max: 100}
usage: {every: 12s, min_gain: 1uve, expiry_margin: 1h}
publishing: {quiet: 3s, at_most: 12s}
"""
PRICING = """\
pricing:
  cpu_millicores: {cpu}uve
  memory_mb: 1uve
  storage_mb: 0.1uve
  gpu: 20000uve
  profit_margin: 0.15
"""
WORKLOAD = """\
lease: {{owner: {owner}, dseq: {dseq}, gseq: 1, oseq: 1}}
paused: {paused}
services:
  - name: web
    image: registry.example/web:1
    resources: {resources}
    expose: [{{port: 80}}]
"""
SMALL = "{cpu: 500m, memory: 256Mi, storage: 512Mi}"
LARGE = "{cpu: 4, memory: 4Gi, storage: 4Gi}"
LARGE_DEPLOYMENTS = frozenset({1_000_003})
"""Billed by usage: they run all that is leased."""


def pricing(cpu: str) -> str:
    """`pricing.yaml` with this price of a millicore."""
    return PRICING.format(cpu=cpu)


def workload(lease: LeaseId, *, paused: bool = False) -> dict[str, str]:
    """The workload's file for a lease, by its path."""
    order = lease.order
    size = LARGE if order.dseq in LARGE_DEPLOYMENTS else SMALL
    text = WORKLOAD.format(owner=order.owner, dseq=order.dseq, paused=str(paused).lower(), resources=size)
    return {f"workloads/{workload_id(lease)}.yaml": text}


class Commits:
    """A bare repository and its operator."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self._contents: dict[str, str] = {}

    def found(self) -> None:
        """Create the repository with its first commit."""
        self._git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(self.repository))
        kubernetes = {
            "adapters/kubernetes.yaml": f"network_policy: other\ningress: {{domain: {INGRESS.domain}}}\n"
        }
        self.commit("The first", {"config.yaml": CONFIG, "pricing.yaml": pricing("1"), **kubernetes})

    def commit(self, subject: str, files: Mapping[str, str | None]) -> None:
        """Commit to the desired branch; a file that is None is deleted."""
        later = BRANCH in self.tips()
        who = f"operator <operator@localhost> {FIRST_AT + later} +0000"
        parts = [f"commit {BRANCH}\ncommitter {who}\ndata {len(subject.encode())}\n{subject}\n"]
        if later:
            parts.append(f"from {BRANCH}^0\n")
        for path, text in files.items():
            parts.append(
                f"D {path}\n" if text is None else f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"
            )
        self._git("fast-import", "--quiet", given="".join(parts))

    def tips(self) -> dict[str, str]:
        """Every branch's commit."""
        lines = self._git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split() for line in lines)

    def content(self, branch: str) -> str:
        """The tree id of a branch, "" where it is missing."""
        head = self.repository / "refs" / "heads" / branch
        commit = head.read_text().strip() if head.exists() else ""
        if commit and commit not in self._contents:
            self._contents[commit] = self._git("rev-parse", f"{commit}^{{tree}}").strip()
        return self._contents.get(commit, "")

    def log(self, branch: str, form: str) -> list[str]:
        """The commits of a branch in a git format, the oldest first."""
        if f"refs/heads/{branch}" not in self.tips():
            return []
        text = self._git("log", "--reverse", f"--format={form}%x00", branch)
        return [each.strip("\n") for each in text.split("\0") if each.strip("\n")]

    def _git(self, *arguments: str, given: str = "") -> str:
        command = ["git", *(("-C", str(self.repository)) if self.repository.exists() else ()), *arguments]
        done = run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout
