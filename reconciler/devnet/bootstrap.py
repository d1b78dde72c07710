"""SIMULATOR: the files of a new devnet: keyring, state repository, host file."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from reconciler.chain.keyring import create_keyring
from reconciler.devnet.accounts import CHAIN_ID, PROVIDER, key_of, names
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.gateway_files import create_gateway_files, recipient
from reconciler.devnet.home import BlockPace, Facts, Home
from reconciler.devnet.operator_git import git
from reconciler.documents.model import API_VERSION

TEMPLATE = Path(__file__).parents[2] / "state-repo-template"

_HOST = """\
# SIMULATOR: the host file of a devnet; use it with `provider-daemon run --host {path}`.
apiVersion: {version}
kind: Host
repository:
  url: state.git
  branch: main
provider:
  name: {name}
  key: {name}
  keyring: keyring
  backend: test
chain:
  grpc: "127.0.0.1:{ports.grpc}"
  rpc: "http://127.0.0.1:{ports.rpc}"
  chain_id: {chain_id}
adapters:
  kubernetes:
    kubeconfig: "{kubeconfig}"
{hosts}state: state
listen:
  api: "127.0.0.1:{ports.api}"
  metrics: "127.0.0.1:{ports.metrics}"
gateway:
  address: "127.0.0.1:{ports.gateway}"
  certificate: "{certificate}"
  key: "{key}"
sealing:
  recipient: {recipient}
  identity: "{identity}"
timing:
  poll_seconds: {poll}
  cycle_at_most_seconds: 5
{capacity}"""

_THIS_MACHINE = """\
  ansible:
    enabled: true
    this_machine: true
    storage_paths: [{records}]
"""

_CAPACITY = """\
limits:
  capacity:
    cpu: "64000m"
    memory: 256Gi
    storage: 2Ti
    gpu: 4
"""
"""Limits a given cluster to the simulated one's capacity, so that the same orders fit."""


def bootstrap(home: Home, facts: Facts) -> None:
    """Create the missing files; the host file is written again, as ports may have changed."""
    if not home.keyring.exists():
        keyring = create_keyring(home.keyring)
        for name in names():
            keyring.add(name, key_of(name))
    if not home.repository.exists():
        _create_repository(home.repository, facts.pace)
    create_gateway_files(home)
    _write_host(home, facts)


def _create_repository(repository: Path, pace: BlockPace) -> None:
    if not TEMPLATE.is_dir():
        raise DevnetError(f"the template of state repositories is not at {TEMPLATE}; run from a checkout")
    with tempfile.TemporaryDirectory(dir=repository.parent) as scratch:
        draft, work = Path(scratch) / "state.git", Path(scratch) / "work"
        shutil.copytree(TEMPLATE, work)
        config = work / "config.yaml"
        config.write_text(_with_pace(config.read_text(encoding="utf-8"), pace), encoding="utf-8")
        adapter = work / "adapters" / "kubernetes.yaml"
        adapter.write_text(_without_network(adapter.read_text(encoding="utf-8")), encoding="utf-8")
        git(work, "init", "--quiet", "--initial-branch=main")
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", "The state repository of a simulated provider")
        git(work, "clone", "--quiet", "--bare", str(work), str(draft))
        git(draft, "remote", "remove", "origin")
        draft.replace(repository)


def _with_pace(config: str, pace: BlockPace) -> str:
    """The template's `config.yaml`, with money due every few seconds instead of every day."""
    changed, count = re.subn(
        r"(?m)^( +every:).*$", rf"\g<1> {pace.due_seconds}s  # short, for a devnet", config
    )
    if count != 2:
        raise DevnetError(
            f"the template's config.yaml contains `every:` {count} times, not twice; fix the template"
        )
    cheap = re.sub(r"(?m)^( +fee_percent_max:).*$", r"\g<1> 100", changed)
    return re.sub(r"(?m)^( +)quiet:.*$", r"\g<1>quiet: 1s", cheap)


_DEVNET_NETWORK = """\
network_policy: not-enforced  # a devnet has no tenants
ingress: {controller: nginx, domain: apps.localhost}
storage_classes:
  - {class: beta2, name: standard, capacity: 1Ti}"""


def _without_network(adapter: str) -> str:
    """The template's `adapters/kubernetes.yaml`, for a cluster whose pods have no network; its ingress
    controller is simulated, so that orders with HTTP ports get bids.
    """
    changed, count = re.subn(r"(?m)^# network_policy:.*$", _DEVNET_NETWORK, adapter)
    if count != 1:
        raise DevnetError(
            f"the template's adapters/kubernetes.yaml has {count} lines `# network_policy:`, not one; fix it"
        )
    return changed


def _write_host(home: Home, facts: Facts) -> None:
    text = _HOST.format(
        path=home.host_file,
        version=API_VERSION,
        name=PROVIDER,
        ports=facts.ports,
        chain_id=CHAIN_ID,
        kubeconfig=facts.kubeconfig or "kubeconfig",
        certificate=home.certificate.name,
        key=home.certificate.with_suffix(".key").name,
        recipient=recipient(home),
        identity=home.identity.name,
        poll=max(0.05, round(facts.pace.block_seconds / 5, 3)),
        hosts=_THIS_MACHINE.format(records=home.records) if facts.this_machine else "",
        capacity=_CAPACITY if facts.kubeconfig else "",
    )
    home.host_file.write_text(text, encoding="utf-8")
