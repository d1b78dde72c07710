"""The systemd unit: what it says for a host file, and what systemd itself makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.host import service
from reconciler.cli.main import provider_daemon, run_command
from reconciler.settings import Flags, SettingsError, load_settings, read_passphrase

Said = pytest.CaptureFixture[str]

HOST = """
repository: {url: /etc/provider-daemon}
chain: {grpc: "127.0.0.1:9090", rpc: "http://127.0.0.1:26657", chain_id: test-1}
provider: {passphrase_file: /etc/provider-daemon.passphrase}
"""
EXPOSURE_MOST = 1.1
EXPOSURE_MOST_IN_A_HOME = 1.2
"""systemd's own score, 0 (safe) to 10; what is left is the network that it lives of."""

systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


def installed(directory: Path, host: str = HOST, *options: str) -> dict[str, list[str]]:
    """The unit's settings by name."""
    (directory / "host.yaml").write_text(host)
    arguments = ["install-service", "--root", str(directory / "root"), "--host", str(directory / "host.yaml")]
    assert run_command(provider_daemon, [*arguments, *options]) == 0
    found: dict[str, list[str]] = {}
    for line in path_of(directory).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def path_of(directory: Path) -> Path:
    return directory / "root/etc/systemd/system/provider-daemon.service"


def test_the_service_can_write_only_its_state_and_the_git_directory(tmp_path: Path) -> None:
    unit = installed(tmp_path)
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["StateDirectory"] == ["provider-daemon"]
    assert unit["ReadWritePaths"] == ["/etc/provider-daemon/.git"]
    assert unit["LoadCredential"] == ["passphrase:/etc/provider-daemon.passphrase"]
    assert unit["Type"] == ["notify"]
    assert unit["User"] == ["provider-daemon"]
    assert re.fullmatch(r"/\S*provider-daemon run --host \S+/host\.yaml", unit["ExecStart"][0])


def test_the_services_memory_is_not_written_to_disk(tmp_path: Path) -> None:
    unit = installed(tmp_path)
    assert unit["LimitCORE"] == unit["MemorySwapMax"] == ["0"]


def test_the_services_memory_is_limited_and_a_killed_child_does_not_stop_it(tmp_path: Path) -> None:
    unit = installed(tmp_path)
    assert (unit["MemoryMax"], unit["OOMPolicy"]) == (["4G"], ["continue"])


def test_doctor_runs_with_user_and_credential_of_the_service(tmp_path: Path, capsys: Said) -> None:
    installed(tmp_path)
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[0] == "systemd-run"
    assert last[-3:] == ["doctor", "--host", str(tmp_path / "host.yaml")]
    assert {"User=provider-daemon", "LoadCredential=passphrase:/etc/provider-daemon.passphrase"} <= {*last}


@pytest.mark.parametrize(
    ("interpreter", "hidden"), [("/home/olga/.pyenv/bin/python", "read-only"), ("/usr/bin/python3", "yes")]
)
def test_homes_are_hidden_unless_the_interpreter_is_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str, hidden: str
) -> None:
    link = tmp_path / "venv" / "python"
    link.parent.mkdir()
    link.symlink_to(interpreter)
    monkeypatch.setattr(sys, "executable", str(link))
    assert installed(tmp_path)["ProtectHome"] == [hidden]


def test_a_remote_repository_is_not_writable(tmp_path: Path) -> None:
    unit = installed(tmp_path, HOST.replace("/etc/provider-daemon}", "https://forge.example/a.git}"))
    assert "ReadWritePaths" not in unit


def test_another_state_directory_and_user(tmp_path: Path, capsys: Said) -> None:
    host = HOST.replace("/etc/provider-daemon}", "/srv/state.git}") + "state: '/srv/my state'\n"
    unit = installed(tmp_path, host, "--user", "ve")
    assert unit["ReadWritePaths"] == ['"/srv/my state"', "/srv/state.git"]
    assert "StateDirectory" not in unit
    assert unit["User"] == unit["Group"] == ["ve"]
    assert (tmp_path / "root/etc/sysusers.d/provider-daemon.conf").read_text().startswith("u ve - ")
    assert "chown -R ve: /srv/state.git" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("passphrase", "options", "loaded"),
    [
        ("$CREDENTIALS_DIRECTORY/opener", (), "opener:{}/provider-daemon.opener"),
        ("$CREDENTIALS_DIRECTORY/opener", ("--passphrase", "/x"), "opener:/x"),
        ("/a", ("--passphrase", "/x"), "passphrase:/x"),
    ],
)
def test_the_passphrase_is_a_credential(
    tmp_path: Path, passphrase: str, options: tuple[str, ...], loaded: str
) -> None:
    unit = installed(tmp_path, HOST.replace("/etc/provider-daemon.passphrase", passphrase), *options)
    assert unit["LoadCredential"] == [loaded.format(tmp_path)]


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        (HOST.replace("passphrase_file: /etc/provider-daemon.passphrase", ""), (), "chmod 600"),
        (HOST, ("--user", "a b"), "is not a user name"),
        (HOST + 'state: "/srv/a\\nExecStart=b"\n', (), "rename it"),
        ("{}", (), "repository"),
    ],
)
def test_errors_of_an_installation(
    tmp_path: Path, capsys: Said, host: str, options: tuple[str, ...], words: str
) -> None:
    (tmp_path / "host.yaml").write_text(host)
    arguments = ["install-service", "--root", str(tmp_path / "root"), "--host", str(tmp_path / "host.yaml")]
    assert run_command(provider_daemon, [*arguments, *options]) == 1
    assert words in capsys.readouterr().err
    assert not path_of(tmp_path).exists()


@systemd
@pytest.mark.parametrize(
    ("interpreter", "most"), [("/usr/bin/python3", EXPOSURE_MOST), (sys.executable, EXPOSURE_MOST_IN_A_HOME)]
)
def test_systemd_accepts_the_unit_and_its_exposure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str, most: float
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    monkeypatch.setattr(service, "_program", lambda: Path("/usr/bin/true"))
    installed(tmp_path)
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(path_of(tmp_path))], capture_output=True, text=True, timeout=60
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    revision_verdict = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(path_of(tmp_path))],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", revision_verdict.stdout)
    assert score, revision_verdict.stderr
    assert float(score[1]) <= most, revision_verdict.stdout


def test_the_credential_of_the_service_is_read(tmp_path: Path) -> None:
    (tmp_path / "host.yaml").write_text(HOST)
    (tmp_path / "credentials").mkdir()
    credential = tmp_path / "credentials" / "passphrase"
    credential.write_text("open sesame\n")
    credential.chmod(0o440)  # as systemd leaves it beside its access list
    environment = {"CREDENTIALS_DIRECTORY": str(credential.parent)}
    flags = Flags(tmp_path / "host.yaml")
    assert read_passphrase(load_settings(flags, environment).key) == "open sesame"
    elsewhere = load_settings(flags, {}).key
    assert elsewhere.passphrase_file == Path("/etc/provider-daemon.passphrase")
    credential.rename(credential.with_name("other"))
    assert load_settings(flags, environment).key == elsewhere


def test_a_credential_by_name(tmp_path: Path) -> None:
    named = HOST.replace("/etc/provider-daemon.passphrase", "$CREDENTIALS_DIRECTORY/opener")
    (tmp_path / "host.yaml").write_text(named)
    (tmp_path / "opener").write_text("open sesame\n")
    flags = Flags(tmp_path / "host.yaml")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_passphrase(load_settings(flags, environment).key) == "open sesame"
    with pytest.raises(SettingsError, match="systemd gives to the service alone"):
        read_passphrase(load_settings(flags, {}).key)


def test_a_passphrase_file_that_others_can_read_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("open sesame")
    (tmp_path / "passphrase").chmod(0o640)
    (tmp_path / "host.yaml").write_text(HOST.replace("/etc/provider-daemon.passphrase", "passphrase"))
    with pytest.raises(SettingsError, match="chmod 600"):
        read_passphrase(load_settings(Flags(tmp_path / "host.yaml"), {"CREDENTIALS_DIRECTORY": "/none"}).key)
