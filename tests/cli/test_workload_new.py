"""Prefilled workload files: valid, and as large as what was leased."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from reconciler.cli.errors import CliError
from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.workload import new
from reconciler.cli.workload.new import leased_file
from reconciler.documents.files import read_file
from reconciler.documents.workload_model import WorkloadFile
from reconciler.documents.workload_skeleton import skeleton_of
from reconciler.documents.workload_text import workload_text
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.values.desired import Workload
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from reconciler.values.resources import LEASED_IP, RANDOM_PORT, SHARED_HTTP, Endpoint, total
from reconciler.values.views import HoldView
from tests.documents.texts import lease
from tests.git.forge import Forge
from tests.manifests.test_specification import CASES

LEASE = lease(1)
PATH = f"workloads/{workload_id(LEASE)}.yaml"


def test_the_skeleton_of_every_order_is_valid_and_has_its_resources() -> None:
    for name, vector in CASES.items():
        units = read_deployment(vector["sdl"].encode()).groups[0].units
        if not all(unit.count for unit in units):
            continue
        found = read_file(PATH, workload_text(skeleton_of(LEASE, units)), WorkloadFile, LEASE.provider)
        assert not [fault for fault in found.faults if not fault.warning], name
        assert isinstance(found.value, Workload)
        granted = total([unit.all for unit in units])
        assert not granted.lacks(found.value.resources), name
        assert found.value.resources.storage_bytes == granted.storage_bytes, name


@pytest.mark.parametrize(
    ("kinds", "outer_ports"),
    [
        ((SHARED_HTTP,), [80]),
        ((RANDOM_PORT, SHARED_HTTP), [0, 80]),
        ((LEASED_IP, RANDOM_PORT, SHARED_HTTP, SHARED_HTTP), [0, 0, 80, 0]),
        ((RANDOM_PORT,), [0]),
    ],
)
def test_the_first_http_endpoint_gets_port_80(kinds: tuple[int, ...], outer_ports: list[int]) -> None:
    (unit,) = read_deployment(CASES["minimal"]["sdl"].encode()).groups[0].units
    exposed = replace(unit, endpoints=tuple(Endpoint(kind) for kind in kinds))
    (made,) = skeleton_of(LEASE, (exposed,)).services
    assert [port.exposed_as for port in made.ports] == outer_ports


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Forge.make(tmp_path / "forge").commit("begin", config_yaml="kind: Config\n")
    path = tmp_path / "host.yaml"
    tree = {
        "kind": "Host",
        "repository": {"url": str(tmp_path / "forge")},
        "chain": {"grpc": "127.0.0.1:1", "rpc": "http://127.0.0.1:2", "chain_id": "c"},
    }
    path.write_text(yaml.safe_dump(tree))
    units = read_deployment(CASES["accept"]["sdl"].encode()).groups[0].units
    text = workload_text(skeleton_of(LEASE, units))
    monkeypatch.setattr(new, "_text", lambda settings, lease, sdl: text)
    monkeypatch.setattr(new, "_waiting", lambda settings: (LEASE, lease(2)))
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Olga")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "olga@example.com")
    return path


def run(host: Path, *arguments: str) -> int:
    return run_command(provider_daemon, ["workload", "new", *arguments, "--host", str(host)])


def test_files_are_written_once(host: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(host, str(LEASE), "--directory", str(tmp_path)) == 0
    assert f"{PATH} written; change the image" in capsys.readouterr().out
    assert run(host, "--all", "--directory", str(tmp_path)) == 1
    assert "nothing is written" in capsys.readouterr().err
    assert [each.name for each in (tmp_path / "workloads").iterdir()] == [Path(PATH).name]
    assert run(host) == 64
    assert run(host, "some text") == 1


def test_a_new_branch_holds_the_files_on_top_of_the_desired_one(host: Path, tmp_path: Path) -> None:
    forge = Forge(tmp_path / "forge")
    assert run(host, "--all", "--branch", "add-workloads") == 0
    assert forge.git("log", "--format=%an %s", "add-workloads").splitlines() == [
        "Olga Add 2 workload files",
        "Olga Operator begin",
    ]
    assert PATH in forge.git("ls-tree", "-r", "--name-only", "add-workloads").split()
    assert forge.log("main") == ["begin"]
    assert run(host, "--all", "--branch", "add-workloads") == 1


def test_a_lease_that_waits_for_its_tenant_s_manifest_gets_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def waiting(n: int, reason: Reason) -> Mock:
        return Mock(lease=str(lease(n)), manifest=None, holds=(HoldView("", reason, ""),))

    listed = (waiting(1, Reason.NO_WORKLOAD_FILE), waiting(2, Reason.NO_MANIFEST))
    monkeypatch.setattr(new, "fetch", lambda *_: Mock(items=listed))
    assert new._waiting(Mock()) == (lease(1),)


def test_a_lease_that_the_chain_does_not_have() -> None:
    with pytest.raises(CliError, match="no active lease"):
        leased_file(None, LEASE)
