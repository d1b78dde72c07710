"""Eyes that look at nothing say so; an operator changes only what is there."""

from pathlib import Path

import pytest

from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import Facts, Home
from reconciler.devnet.node import TenantNode
from reconciler.devnet.plain_git import git
from reconciler.devnet.probe_api import ApiProbe
from reconciler.devnet.probe_chain import ChainProbe
from reconciler.devnet.probe_cluster import ClusterProbe
from reconciler.devnet.probe_git import STATUS, GitProbe, Operator
from reconciler.devnet.probe_host import HostProbe

NOBODY = "127.0.0.1:9"


def test_nobody_answers() -> None:
    api = ApiProbe(f"http://{NOBODY}")
    assert not api.answers()
    with pytest.raises(DevnetError, match="the daemon does not answer /api/v1/status"):
        api.applied()
    node = TenantNode(NOBODY)
    with pytest.raises(DevnetError, match=f"the chain at {NOBODY} does not answer"):
        node.height()
    node.close()


@pytest.mark.parametrize("content", ["127.0.0.1 localhost\n", "a: [", "kind: Config\n", ""])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(DevnetError, match=r"kubeconfig .*kubeconfig cannot be used"):
        ClusterProbe(path)


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        f"{{apiVersion: v1, kind: Config, current-context: c, users: [{{name: u, user: {{}}}}], "
        f'clusters: [{{name: k, cluster: {{server: "http://{NOBODY}"}}}}], '
        f"contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}"
    )
    eyes = ClusterProbe(path)
    with pytest.raises(DevnetError, match="the cluster does not answer GET /apis/apps/v1"):
        eyes.objects()
    eyes.close()


def test_the_operator_commits_and_the_eyes_see_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap(home, Facts())
    operator, eyes = Operator(home.repository, tmp_path / "clone"), GitProbe(home.repository)
    assert (eyes.head(STATUS), eyes.told()) == ("", "")
    commit = operator.edit("Dearer", "pricing.yaml", ("cpu_millicores: 1uve", "cpu_millicores: 2uve"))
    assert eyes.head("main") == commit
    assert eyes.log("main")[-1].endswith("operator: Dearer")
    assert "cpu_millicores: 2uve" in git(home.repository, "show", "main:pricing.yaml")
    with pytest.raises(DevnetError, match=r"pricing.yaml does not say `cpu_millicores: 1uve`"):
        operator.edit("Again", "pricing.yaml", ("cpu_millicores: 1uve", ""))


def test_gits_own_words_are_told(tmp_path: Path) -> None:
    with pytest.raises(DevnetError, match=r"git log in .* failed: fatal: not a git repository"):
        git(tmp_path, "log")


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevnetError, match="there is no git command; install git"):
        git(tmp_path, "log")


def test_a_block_that_nobody_tells(tmp_path: Path) -> None:
    node = TenantNode(NOBODY)
    eyes = ChainProbe(node, f"http://{NOBODY}")
    with pytest.raises(DevnetError, match=f"http://{NOBODY} does not tell block 3"):
        eyes._call("block", 3)
    node.close()


def test_a_host_where_nobody_answers_and_no_engine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    eyes = HostProbe(9)
    assert eyes.page() == ""
    with pytest.raises(DevnetError, match="podman ps: "):
        eyes.left("1-1-1-aaaaaaaaaa")
