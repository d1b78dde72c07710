"""The doctor beside a devnet: all is well, then one thing after the other is not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.chain.rpc import NodeStatus
from reconciler.cli.doctor.chain import _balance, _clock, _grpc, _node, _witness
from reconciler.cli.doctor.checks import CheckState
from reconciler.cli.doctor.machine import check_git, check_outside
from reconciler.cli.main import provider_daemon, run_command
from reconciler.journal.opening import open_journal
from reconciler.settings import Flags, Settings, load_settings
from reconciler.values.limits import Limits
from reconciler.values.listen_address import ListenAddress
from reconciler.values.memory import HourTotals, Memory, WalletLedger
from tests import makers
from tests.api.certificates import DAY, Authority
from tests.e2e.processes import devnet
from tests.git.forge import Forge
from tests.journal.facts import plan

Said = pytest.CaptureFixture[str]
Host = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("world") / "home"
    with devnet(home, "--block-seconds", "0.5"):
        (home / "state").mkdir(mode=0o700)
        yield home


def findings(host: Path, said: Said) -> tuple[int, dict[str, dict[str, str]]]:
    """By check; of several of one check, the worst."""
    said.readouterr()
    code = run_command(provider_daemon, ["doctor", "-o", "json", "--host", str(host)])
    told = json.loads(said.readouterr().out)["findings"]
    order = [CheckState.OK, CheckState.WARN, CheckState.WRONG]
    return code, {each["check"]: each for each in sorted(told, key=lambda f: order.index(f["state"]))}


def test_everything_passes(world: Path, capsys: Said) -> None:
    code, found = findings(world / "host.yaml", capsys)
    assert code == 0
    assert {name: each["state"] for name, each in found.items()} == dict.fromkeys(
        (
            "host file", "key", "state", "lock", "disk", "sealing", "git",
            "port api", "port metrics", "port gateway", "chain", "clock",
            "grpc", "provider", "balance", "repository", "publish", "cluster", "leftovers",
            "ingress",
        ),
        "ok",
    ) | {"rights": "warn", "network": "warn", "gateway": "warn"}  # fmt: skip
    assert run_command(provider_daemon, ["doctor", "--host", str(world / "host.yaml")]) == 0
    assert capsys.readouterr().out.endswith("0 wrong, 3 warnings\n")


def changed(world: Path, change: Callable[[Host], object]) -> Path:
    host = yaml.safe_load((world / "host.yaml").read_text())
    change(host)
    made = world / "changed.yaml"
    made.write_text(yaml.safe_dump(host))
    return made


@pytest.mark.parametrize(
    ("change", "check", "message", "advice"),
    [
        (lambda h: h["chain"].update(chain_id="other-1"), "chain", "not other-1", "correct chain.chain_id"),
        (lambda h: h["chain"].update(rpc="http://127.0.0.1:1"), "chain", "does not answer", "chain.rpc"),
        (lambda h: h["chain"].update(grpc="127.0.0.1:1"), "grpc", "does not answer", "chain.grpc"),
        (lambda h: h["provider"].update(key="nobody"), "key", "has no key 'nobody'", "provider.key"),
        (lambda h: h["provider"].update(key="alice"), "provider", "is not a provider", "chain's genesis"),
        (
            lambda h: h.update(limits={"balance_reserve": "99000000000uve"}),
            "balance",
            "holds",
            "lower limits.balance_reserve",
        ),
        (lambda h: h["repository"].update(branch="nix"), "repository", "has no branch nix", "push it"),
        (
            lambda h: h["repository"].update(url="gone.git"),
            "repository",
            "no repository at",
            "repository.url",
        ),
        (
            lambda h: h["adapters"]["kubernetes"].update(kubeconfig="gone"),
            "cluster",
            "cannot be read",
            "adapters.kubernetes.kubeconfig",
        ),
        (
            lambda h: h.update(listen={"api": "192.0.2.1:8443"}),
            "host file",
            "has no authentication",
            "tokens",
        ),
        (lambda h: h["chain"].pop("rpc"), "host file", "chain", ""),
    ],
)
def test_errors_have_advice(
    world: Path, capsys: Said, change: Callable[[Host], object], check: str, message: str, advice: str
) -> None:
    code, found = findings(changed(world, change), capsys)
    assert code == 1
    assert found[check]["state"] == "wrong"
    assert message in found[check]["message"]
    assert advice in f"{found[check]['message']} {found[check]['advice']}"
    assert found[check]["advice"]


@pytest.mark.parametrize(("lost", "state"), [(0, "ok"), (1_000_000, "ok"), (4_000_000, "warn")])
def test_a_balance_that_ends_soon_is_a_warning(lost: int, state: str) -> None:
    hours = (HourTotals(makers.NOW - 86_400, earned=-lost),)
    found = _balance(Limits(), makers.market(), WalletLedger(balance=10_000_000, hours=hours))
    assert found.state == state
    assert ("at the rate of the last 24 hours" in found.message) == (lost > 0)


def test_a_port_in_use_by_another_process(world: Path, capsys: Said) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        host = changed(world, lambda h: h.update(listen={"api": f"127.0.0.1:{port}"}))
        code, found = findings(host, capsys)
    assert (code, found["port api"]["state"]) == (1, "wrong")
    assert f"ss -ltnp 'sport = :{port}'" in found["port api"]["advice"]


def test_ports_in_use_by_the_running_daemon(world: Path, capsys: Said) -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        host = changed(world, lambda h: h.update(listen={"api": f"127.0.0.1:{own.getsockname()[1]}"}))
        running = open_journal(world / "state")
        code, found = findings(host, capsys)
        running.close()
    assert (code, found["port api"]["state"]) == (0, "ok")
    assert "held by the running daemon (pid " in found["lock"]["message"]
    assert found["port metrics"]["state"] == "warn"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo git version 2.35.9", "too old"),
        ("echo git version 1.99", "too old"),
        ("exit 3", "does not run"),
        ("echo unknown", "is not known"),
    ],
)
def test_a_git_that_is_too_old_or_does_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    [found] = check_git()
    assert found.state is not CheckState.OK
    assert said in found.message
    assert "2.36" in found.advice
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.100.1\n")
    assert [each.state for each in check_git()] == [CheckState.OK]


def test_a_state_directory_that_others_can_enter(world: Path, capsys: Said, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    code, found = findings(changed(world, lambda h: h.update(state=str(tmp_path / "open"))), capsys)
    assert (code, found["state"]["state"]) == (1, "wrong")
    assert found["state"]["advice"] == f"run chmod 700 {tmp_path}/open"


def test_a_repository_with_an_invalid_file(world: Path, capsys: Said, tmp_path: Path) -> None:
    forge = Forge.make(tmp_path / "forge")
    forge.commit(pricing_yaml="pricing: {cpu_millicores: lots}\n", config_yaml="{}\n")
    host = changed(world, lambda h: h["repository"].update(url=str(forge.path)))
    code, found = findings(host, capsys)
    assert code == 1
    assert "pricing.yaml:1:27" in found["repository"]["message"]
    assert forge.git("branch", "--list", "status/*") == ""


@pytest.fixture
def settings(world: Path) -> Settings:
    return load_settings(Flags(world / "host.yaml"), {})


def status(**other: Any) -> NodeStatus:
    fields = {"height": 7, "catching_up": False, "earliest_height": 1, "earliest_time": 0.0, "indexing": True}
    since = time.time() - other.pop("silent_seconds", 0)
    return NodeStatus(**{"chain_id": "virtengine-devnet-1", "time": since, **fields, **other})


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"catching_up": True}, "is syncing"),
        ({"silent_seconds": 500}, "has made no block for 5"),
        ({"indexing": False}, "has no transaction index"),
    ],
)
def test_a_node_with_implausible_answers(settings: Settings, other: dict[str, Any], words: str) -> None:
    (finding,) = _node(settings, status(**dict(other)))
    assert words in finding.message
    assert finding.advice


@pytest.mark.parametrize(("seconds", "word"), [(-100, "behind"), (100, "ahead of")])
def test_clocks_that_differ(settings: Settings, seconds: int, word: str) -> None:
    finding = _clock(settings, status(time=time.time() - seconds))
    assert finding.state is CheckState.WRONG
    assert f"this clock is 100 s {word} the last block's time" in finding.message
    assert _clock(settings, status()).state is CheckState.OK


@pytest.mark.parametrize(
    ("lasts", "state", "words"),
    [
        (100 * DAY, "ok", "is valid until 20"),
        (13 * DAY, "warn", "expires at 20"),
        (-DAY, "wrong", "expired at 20"),
        (None, "wrong", "cannot be used with the key"),
    ],
)
def test_remote_access(
    settings: Settings, tmp_path: Path, lasts: timedelta | None, state: str, words: str
) -> None:
    certificate, key = Authority(tmp_path).issue("server", lasts or DAY)
    if lasts is None:
        key = Authority(tmp_path, "another").issue("stranger")[1]
    tokens = tmp_path / "tokens"
    tokens.write_text("short\n")
    tokens.chmod(0o600)
    listen = replace(
        settings.listen,
        outside=ListenAddress("0.0.0.0", 1),
        tls_certificate=certificate,
        tls_key=key,
        tokens=tokens,
    )
    seen, shown = check_outside(replace(settings, listen=listen))
    assert (seen.check, seen.state) == ("certificate", state)
    assert words in seen.message
    assert (seen.advice == "") is (state == "ok")
    assert (shown.state, shown.message) == (
        CheckState.WRONG,
        f"{tokens}:1: the token is shorter than 20 characters",
    )
    assert list(check_outside(settings)) == [], "nobody else reaches us"


def test_a_false_height_in_the_journal_is_an_error(world: Path, capsys: Said) -> None:
    host = changed(world, lambda h: h.update(state=str(world / "remembering")))
    opened = open_journal(world / "remembering")
    opened.journal.remember(plan(Memory(height=10**15, height_time=int(time.time()) - 60)), int(time.time()))
    opened.close()
    code, found = findings(host, capsys)
    assert code == 1
    assert "the journal remembers height 1000000000000000" in found["height"]["message"]
    assert "forget-height" in found["height"]["advice"]


def test_a_lagging_grpc_address_is_reported(world: Path) -> None:
    settings = load_settings(Flags(world / "host.yaml"), {})
    found = _grpc(settings, makers.market(lag_blocks=2))
    assert found.state is CheckState.WARN
    assert "2 blocks behind" in found.message


@pytest.mark.parametrize(("port", "state"), [("", CheckState.OK), ("1", CheckState.WRONG)])
def test_the_witness_is_checked(world: Path, port: str, state: CheckState) -> None:
    settings = load_settings(Flags(world / "host.yaml"), {})
    node = settings.chain.node
    witness = replace(node, grpc=f"127.0.0.1:{port}") if port else node
    [found] = _witness(replace(settings.chain, witness=witness))
    assert found.state is state
    assert list(_witness(settings.chain)) == []
