"""The probe where nothing answers, and the operator's git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import DevnetPorts, Facts, Home
from reconciler.devnet.operator_git import STATUS, Operator, git
from reconciler.devnet.probe import Probe
from reconciler.devnet.trading import TransactionClient

CLOSED_PORT = 9
KUBECONFIG = (
    "{{apiVersion: v1, kind: Config, current-context: c, users: [{{name: u, user: {{}}}}], "
    'clusters: [{{name: k, cluster: {{server: "http://127.0.0.1:{port}"}}}}], '
    "contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}"
)


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    """A probe of a devnet that does not run."""
    home = Home(tmp_path)
    facts = Facts(DevnetPorts(*[CLOSED_PORT] * 5))
    home.write_facts(facts)
    bootstrap(home, facts)
    home.kubeconfig.write_text(KUBECONFIG.format(port=CLOSED_PORT))
    found = Probe(home, TransactionClient(GrpcNode(f"127.0.0.1:{CLOSED_PORT}")))
    yield found
    found.close()


def test_errors_name_the_part_that_does_not_answer(probe: Probe) -> None:
    assert not probe.api_answers()
    with pytest.raises(DevnetError, match="the daemon does not answer /api/v1/status"):
        probe.applied_revision()
    with pytest.raises(NodeError, match=f"127.0.0.1:{CLOSED_PORT} does not answer"):
        probe.transactions()
    with pytest.raises(ApiError, match="GET /apis/apps/v1"):
        probe.objects()


@pytest.mark.parametrize("content", ["127.0.0.1 localhost\n", "a: [", "kind: Config\n", ""])
def test_a_file_that_is_no_kubeconfig(probe: Probe, tmp_path: Path, content: str) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    with pytest.raises(ApiError, match="kubeconfig"):
        probe.objects()


def test_a_commit_of_the_operator_reaches_the_repository(probe: Probe, tmp_path: Path) -> None:
    repository = Home(tmp_path).repository
    operator = Operator(repository, tmp_path / "clone")
    assert (probe.head(STATUS), probe.status_messages()) == ("", "")
    commit = operator.edit("Dearer", "pricing.yaml", ("cpu_millicores: 1uve", "cpu_millicores: 2uve"))
    assert probe.head("main") == commit
    assert probe.log("main")[-1].endswith("operator: Dearer")
    assert "cpu_millicores: 2uve" in git(repository, "show", "main:pricing.yaml")
    with pytest.raises(DevnetError, match=r"pricing.yaml does not contain `cpu_millicores: 1uve`"):
        operator.edit("Again", "pricing.yaml", ("cpu_millicores: 1uve", ""))


def test_errors_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DevnetError, match=r"git log in .* failed: fatal: not a git repository"):
        git(tmp_path, "log")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevnetError, match="there is no git command; install git"):
        git(tmp_path, "log")
