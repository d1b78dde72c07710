"""`provider-daemon install-service`: writes the systemd unit for a host file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click

from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.settings import CREDENTIALS, PASSPHRASE_CREDENTIAL, Settings

UNIT = Path("etc/systemd/system/provider-daemon.service")
ACCOUNT = Path("etc/sysusers.d/provider-daemon.conf")
RUNNING = Path("/run/systemd/system")
"""Exists if systemd runs this machine."""

STATES = Path("/var/lib")
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


@click.command("install-service")
@host_option
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write below this directory and run no systemctl, for a package or an image.",
)
@click.option("--user", default="provider-daemon", show_default=True, help="The user of the service.")
@click.option(
    "--passphrase",
    type=click.Path(path_type=Path),
    help="The file of the keyring's passphrase; default: the host file's passphrase_file.",
)
def install_service(host: Path | None, root: Path | None, user: str, passphrase: Path | None) -> None:
    """Write provider-daemon.service and its user, and print the remaining steps."""
    if not user.replace("-", "").replace("_", "").isalnum() or user[0] in "-0123456789" or not user.isascii():
        raise CliError(f"error: {user!r} is not a user name; use letters, digits, - and _")
    settings = settings_of(host)
    top = root or Path("/")
    loaded = credential(settings, passphrase)
    _write(top / UNIT, unit(settings, user, loaded))
    _write(top / ACCOUNT, account(settings, user))
    steps = list(_next(settings, user, loaded))
    if root is None and RUNNING.is_dir():
        for command in (["systemd-sysusers", str(top / ACCOUNT)], ["systemctl", "daemon-reload"]):
            _call(command)
        steps = [step for step in steps if not step.startswith(("systemd-sysusers", "systemctl daemon"))]
    click.echo("then:")
    for step in steps:
        click.echo(f"  {step}")


def unit(settings: Settings, user: str, loaded: str) -> str:
    """The unit's text; `loaded` is its LoadCredential line, or a comment instead."""
    text = files("reconciler.cli").joinpath("provider-daemon.service").read_text(encoding="utf-8")
    values = {
        "@USER@": user,
        "@PROGRAM@": _quoted(_program()),
        "@HOST@": _quoted(settings.host_file),
        "@CREDENTIAL@": loaded,
        "@WRITES@": "\n".join(_writes(settings)),
        "@HOME@": "read-only" if _is_in_a_home(settings) else "yes",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def credential(settings: Settings, passphrase: Path | None) -> str:
    """The LoadCredential line for the keyring's passphrase; CliError if its file is unknown."""
    named = settings.key.passphrase_file
    if settings.key.backend == "test":
        return "# The keyring is not encrypted, so there is no passphrase."
    name, source = PASSPHRASE_CREDENTIAL, passphrase or named
    if named is not None and named.parts[0] == CREDENTIALS:
        name = named.name
        source = passphrase or settings.host_file.with_name(f"provider-daemon.{name}")
    if source is None:
        raise CliError(
            "error: the file of the keyring's passphrase is unknown; set provider.passphrase_file in the "
            "host file, such as /etc/provider-daemon.passphrase, readable by root only (chmod 600)"
        )
    return f"LoadCredential={name}:{source.absolute()}"


def account(settings: Settings, user: str) -> str:
    """The user, for systemd-sysusers; its home is the state directory, where ssh finds known hosts."""
    return f'u {user} - "VirtEngine provider daemon" {settings.state} /usr/sbin/nologin\n'


def _writes(settings: Settings) -> Iterator[str]:
    if settings.state.parent == STATES:
        yield f"StateDirectory={settings.state.name}"
        yield "StateDirectoryMode=0700"
    else:
        yield f"ReadWritePaths={_quoted(settings.state)}"
    if settings.repository.is_local and settings.repository.publish:
        yield f"ReadWritePaths={_quoted(_git_directory(settings))}"


def _git_directory(settings: Settings) -> Path:
    """Of a local repository: the files that a push writes, not those that an operator edits."""
    top = Path(settings.repository.url)
    return top if top.name.endswith(".git") or (top / "HEAD").is_file() else top / ".git"


def _is_in_a_home(settings: Settings) -> bool:
    """Whether the service needs a file below a home directory, which is hidden otherwise."""
    needed = [
        _program(),
        Path(sys.executable).resolve(),
        settings.host_file,
        settings.state,
        settings.key.keyring,
        *kubeconfigs(settings),
    ]
    if settings.repository.is_local:
        needed.append(Path(settings.repository.url))
    return any(path is not None and path.is_relative_to(home) for path in needed for home in HOMES)


def kubeconfigs(settings: Settings) -> list[Path]:
    """The kubeconfigs that the host file names, each once."""
    found = (each.path for each in settings.adapters.values() if isinstance(each, Kubeconfig))
    return sorted(set(found))


def _next(settings: Settings, user: str, loaded: str) -> Iterator[str]:
    yield f"systemd-sysusers /{ACCOUNT}"
    yield f"chgrp {user} {settings.host_file} && chmod 640 {settings.host_file}"
    if settings.state.parent != STATES:
        yield f"install -d -m 700 -o {user} -g {user} {settings.state}"
    if settings.repository.is_local and settings.repository.publish:
        yield f"chown -R {user}: {_git_directory(settings)}"
    for path in kubeconfigs(settings):
        yield f"chown {user}: {path}"
    yield "systemctl daemon-reload"
    yield "systemctl enable --now provider-daemon"
    yield _doctor(settings, user, loaded)


def _doctor(settings: Settings, user: str, loaded: str) -> str:
    """The doctor command as the service sees the machine: with its user and its credential."""
    option = f" -p {loaded}" if loaded.startswith("LoadCredential=") else ""
    doctor = f"{_quoted(_program())} doctor --host {_quoted(settings.host_file)}"
    return f"systemd-run --quiet --pipe --wait -p User={user}{option} {doctor}"


def _program() -> Path:
    """The path of this program."""
    beside = Path(sys.executable).with_name("provider-daemon")
    found = shutil.which("provider-daemon")
    return beside if beside.exists() or found is None else Path(found).absolute()


def _quoted(path: Path) -> str:
    """A path in systemd's syntax."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if any(character in text for character in "\n\r\0"):
        raise CliError(f"error: {str(path)!r} cannot be written into a unit; rename it")
    return f'"{text}"' if any(character in text for character in ' "\\\t;') else text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o644)
    draft.replace(path)
    click.echo(f"wrote {path}")


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CliError(f"error: {' '.join(command)} failed: {error}") from None
    if done.returncode != 0:
        raise CliError(f"error: {' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
