from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.connection import connect
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig, KubeconfigError

PLAIN = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}, {name: d, cluster: {server: "http://127.0.0.1:2"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: c, context: {cluster: c, user: u}}, {name: d, context: {cluster: d, user: u}}]
current-context: c
"""
EXEC = PLAIN.replace(
    "{token: secret}", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/true}}"
)
PROVIDER = PLAIN.replace("{token: secret}", "{auth-provider: {name: gcp, config: {cmd-path: /bin/true}}}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


def test_the_current_context_is_used_unless_one_is_configured(path: Path) -> None:
    path.write_text(PLAIN)

    assert connect(Kubeconfig(path)).configuration.host == "http://127.0.0.1:1"
    assert connect(Kubeconfig(path, context="d")).configuration.host == "http://127.0.0.1:2"


@pytest.mark.parametrize("text", [EXEC, PROVIDER])
def test_a_program_is_not_run_unless_the_host_file_allows_it(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(KubeconfigError, match=r"user u would run a program .*allow it in the host file"):
        connect(Kubeconfig(path))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a kubeconfig"),
        ("a: [", "is not YAML"),
        ("kind: Pod", "is not a kubeconfig"),
        (PLAIN.replace("current-context: c", "current-context: x"), "x"),
    ],
)
def test_an_invalid_kubeconfig_is_an_error(path: Path, text: str, why: str) -> None:
    path.write_text(text)

    with pytest.raises(KubeconfigError, match=why) as refused:
        connect(Kubeconfig(path))
    assert str(path) in str(refused.value)


def test_a_missing_kubeconfig_is_an_error(path: Path) -> None:
    with pytest.raises(KubeconfigError, match="cannot be read: No such file"):
        connect(Kubeconfig(path))
    with pytest.raises(KubeconfigError, match="cannot be read: No such file"):
        Kubeconfig(path).version()


def test_the_library_does_not_retry_requests(path: Path) -> None:
    path.write_text(PLAIN)

    assert connect(Kubeconfig(path)).configuration.retries.total is False


def test_a_token_file_is_read_again_for_each_request(path: Path) -> None:
    path.write_text(PLAIN.replace("token: secret", "tokenFile: token"))
    token = path.with_name("token")
    token.write_text("first\n")
    settings = connect(Kubeconfig(path)).configuration
    assert settings.get_api_key_with_prefix("authorization") == "Bearer first"
    token.write_text("second\n")
    assert settings.get_api_key_with_prefix("authorization") == "Bearer second"
    token.unlink()
    with pytest.raises(KubeconfigError, match="token cannot be read"):
        settings.get_api_key_with_prefix("authorization")
