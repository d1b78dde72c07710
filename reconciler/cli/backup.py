"""`provider-daemon backup`: journal, keyring, host file and adapter state in one file, beside a running
daemon.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from reconciler.cli.archive import Manifest, digest_of, write_archive
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.copying import copy_journal
from reconciler.journal.database import NAME
from reconciler.settings import Settings

HOST, KEYRING, STATE = "host.yaml", "keyring", "state"
"""Members: the host file, the folder of the keyring's files, the folder of what else the state holds."""

REPLACED = "before-restore-"
"""Folders of the state directory that hold what a restore put aside."""

RESTORING = ".restoring"

CACHES = frozenset(
    {
        "mirror.git",
        "mirror.lock",
        "git",
        "daemon.lock",
        "ansible-runs",
        RESTORING,
        NAME,
        f"{NAME}-wal",
        f"{NAME}-shm",
    }
)
"""What is made anew by itself; and the journal, which goes as a consistent copy."""


SSH = ".ssh"
"""Where ssh looks in the daemon's home, which is the state directory: keys that open the forge."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@host_option
def backup(file: Path, host: Path | None) -> None:
    """Write FILE: journal, keyring, host file, adapter state; the daemon may run meanwhile."""
    settings = settings_of(host)
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        copy_journal(settings.state, Path(scratch))
        sources = dict(_sources(settings, Path(scratch)))
        manifest = Manifest(
            program=version("virtengine-provider-gitops"),
            provider=settings.provider,
            made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            journal=_journal_version(Path(scratch) / NAME),
            files={name: digest_of(source) for name, source in sources.items()},
        )
        write_archive(file, manifest, sources)
    keys = sum(name.endswith(".info") for name in sources)
    click.echo(f"{file}: {len(sources)} files, {keys} keys, journal {'kept' if manifest.journal else 'none'}")
    if settings.key.backend == "test":
        click.echo("the keyring in it is not sealed: whoever reads this file has the money", err=True)
    for line in outside(settings):
        click.echo(f"not in it: {line}")


def outside(settings: Settings) -> Iterator[str]:
    """What a provider needs that no backup holds: secrets of others, and what opens the keyring."""
    named = {
        "the keyring's passphrase": settings.key.passphrase_file,
        "the kubeconfig": settings.kubernetes.kubeconfig,
        "the SSH key of plain hosts": settings.ansible.private_key,
        "the keys of plain hosts": settings.ansible.known_hosts,
        "the vault of tenants' secrets": settings.ansible.vault,
        "the vault's password": settings.ansible.vault_password_file,
        "git credentials": settings.repository.credentials,
        "the key that signs commits": settings.repository.signing_key,
        "ssh's keys and known hosts": _ssh(settings),
        "allowed signers": settings.repository.allowed_signers,
        "the TLS key": settings.listen.tls_key,
        "the TLS certificate": settings.listen.tls_certificate,
        "the certificates of clients": settings.listen.client_ca,
        "tokens of the API": settings.listen.tokens,
        "the webhook's secret": settings.listen.webhook_secret,
        "the forge's token": settings.forge.token_file if settings.forge else None,
        "the notices' secret": settings.notices.secret_file if settings.notices else None,
        "the state repository": Path(settings.repository.url) if settings.repository.is_local else None,
    }
    yield from (f"{what}, {path}" for what, path in named.items() if path is not None)


def is_state(name: str) -> bool:
    """Whether a name in the state directory is worth keeping, and not made anew by itself."""
    return name not in CACHES and name != SSH and not name.startswith(REPLACED)


def _ssh(settings: Settings) -> Path | None:
    """The state's own ssh directory, where there is one, or git will look for it."""
    ours, repository = settings.state / SSH, settings.repository
    asks = not repository.is_local and not repository.url.startswith(("http://", "https://"))
    return ours if asks or ours.is_dir() else None


def keyring_of(settings: Settings) -> Path:
    """The directory of the keyring's files."""
    return settings.key.keyring / f"keyring-{settings.key.backend}"


def _sources(settings: Settings, scratch: Path) -> Iterator[tuple[str, Path]]:
    yield HOST, settings.host_file
    if (scratch / NAME).exists():
        yield NAME, scratch / NAME
    ring = keyring_of(settings)
    if ring.is_dir():
        yield from ((f"{KEYRING}/{each.name}", each) for each in sorted(ring.iterdir()) if each.is_file())
    if not settings.state.is_dir():
        return
    for each in sorted(settings.state.rglob("*")):
        name = each.relative_to(settings.state)
        if is_state(name.parts[0]) and each.is_file() and not each.is_symlink() and ring not in each.parents:
            yield f"{STATE}/{name}", each


def _journal_version(journal: Path) -> int:
    if not journal.exists():
        return 0
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
