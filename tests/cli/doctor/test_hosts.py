"""What the doctor finds of plain hosts, with a real run of Ansible and an engine that is played."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.cli.doctor.checks import CheckState
from reconciler.cli.doctor.cluster import check_cluster
from reconciler.cli.doctor.hosts import check_hosts
from reconciler.settings import Flags, Settings, load_settings
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost
from tests.adapters.ansible.makers import hosts
from tests.adapters.ansible.podman_stub import install

HOST = """
kind: Host
repository: {{url: ./state.git}}
chain: {{grpc: "127.0.0.1:1", rpc: "http://127.0.0.1:1", chain_id: x}}
adapters: {{ansible: {{storage_paths: [{here}/records]}}}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "host.yaml").write_text(HOST.format(here=tmp_path))
    return load_settings(Flags(host=tmp_path / "host.yaml"), {})


def access(settings: Settings) -> HostCredentials:
    found = settings.adapters["ansible"]
    assert isinstance(found, HostCredentials)
    return found


def test_each_host_has_a_result(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    there = (AnsibleHost("one", LOCALHOST), AnsibleHost("two", "127.0.0.1", 9))
    wanted = hosts(groups=(AnsibleGroup("rack", there),), storage=str(tmp_path / "records"))
    good, bad = check_hosts("ansible", access(settings), wanted)
    assert (good.state, good.message) == (CheckState.OK, "one responds, and has podman")
    assert bad.state is CheckState.WRONG
    assert bad.message.startswith("HostUnreachable: host two: ")


def test_readable_key_files_are_reported_before_ansible_runs(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("x")
    key.chmod(0o644)
    [found] = check_hosts("ansible", HostCredentials(private_key=key), hosts())
    assert (found.state, "chmod 600" in found.message) == (CheckState.WRONG, True)


def test_no_hosts_and_no_cluster(settings: Settings) -> None:
    [empty] = check_hosts("east", access(settings), hosts(groups=()))
    assert "adapters/east.yaml is enabled and names no hosts" in empty.message
    [fine] = check_cluster(None, KubernetesSettings(), others=True)
    assert fine.state is CheckState.OK
    [nothing] = check_cluster(None, KubernetesSettings())
    assert nothing.state is CheckState.WRONG
