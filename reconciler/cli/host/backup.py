"""`provider-daemon backup`: journal, keyring, host file and adapter state in one file."""

from __future__ import annotations

import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.chain.keyring import KeyLockedError, KeyMissingError, open_keyring
from reconciler.chain.keys import PrivateKey
from reconciler.cli.errors import CliError
from reconciler.cli.host.archive import (
    FORMAT,
    HOST,
    JOURNAL,
    KEPT_STATE,
    KEYRING,
    NAME_MAX,
    STATE,
    Manifest,
    digest_of,
    is_listed,
    kept_files,
    write_archive,
)
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.opening import copy_journal
from reconciler.settings import KeySettings, Settings, SettingsError, read_passphrase

PURPOSE = "backup v2"
"""Separates the authentication of backups from other uses of the signing key."""

REPLACED = "before-restore-"
"""Prefix of folders in the state directory with files that a restore moved away."""

RESTORING = ".restoring"
SSH = ".ssh"
"""The ssh directory in the daemon's home, which is the state directory: keys for the forge."""

NOT_COPIED = frozenset(
    {"mirror.git", "mirror.lock", "git", "tenants", "daemon.lock", "adapter-runs", RESTORING, SSH}
    | {f"{JOURNAL}{suffix}" for suffix in ("", "-wal", "-shm")}
)
"""Files that are recreated or reported separately; the journal goes in as a consistent copy."""

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Its first line is the keyring's passphrase; default: the host file's, else a prompt.",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@host_option
@passphrase_option
def backup(file: Path, host: Path | None, passphrase_file: Path | None) -> None:
    """Write journal, keyring, host file, placements and stop files into FILE; the daemon may be running."""
    settings = settings_of(host)
    key = _key(settings, passphrase_file)
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        copy_journal(settings.state, Path(scratch))
        sources = dict(_sources(settings, Path(scratch)))
        manifest = _manifest(settings, sources)
        content = manifest.model_dump_json(indent=1).encode()
        seal = key.authenticate(PURPOSE, content) if isinstance(key, PrivateKey) else None
        digest = write_archive(file, content, seal, sources)
    keys = sum(name.endswith(".info") for name in sources)
    click.echo(
        f"{file}: {len(sources)} files, {keys} keys, journal {'included' if manifest.journal else 'none'}"
    )
    click.echo(f"sha256: {digest}")
    if isinstance(key, PrivateKey):
        click.echo(f"authenticated by key {settings.key.name} ({key.address}); its passphrase restores it")
    else:
        click.echo(f"not authenticated ({key}): restore it with `restore --trust` and this sha256", err=True)
    if settings.key.backend == "test":
        click.echo("its keyring is not encrypted: any reader of this file can spend the money", err=True)
    for line in (*outside(settings), *_unlisted(settings)):
        click.echo(f"not included: {line}")


def outside(settings: Settings) -> Iterator[str]:
    """Files that a provider needs and no backup includes: other secrets, and the keyring's passphrase."""
    named = {
        "the keyring's passphrase": settings.key.passphrase_file,
        "age identities": _identity_elsewhere(settings),
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
    for name, access in settings.adapters.items():
        if isinstance(access, Kubeconfig):
            named[f"the kubeconfig of {name}"] = access.path
        else:
            named[f"the SSH key of {name}"] = access.private_key
            named[f"the host keys of {name}"] = access.known_hosts
            named[f"the vault of {name}, with tenants' secrets"] = access.vault
            named[f"the vault's password of {name}"] = access.vault_password_file
    yield from (f"{what}, {path}" for what, path in named.items() if path is not None)


def _identity_elsewhere(settings: Settings) -> Path | None:
    sealing = settings.sealing
    return sealing.identity if sealing and sealing.identity != settings.default_identity else None


def keyring_of(settings: Settings) -> Path:
    """The directory of the keyring's files."""
    return settings.key.keyring / f"keyring-{settings.key.backend}"


def resolve_passphrase(file: Path | None, settings: Settings | None) -> str | None:
    """The passphrase from a file, else from the host file's, else from a prompt; None without any."""
    if file is not None:
        return read_passphrase(KeySettings("", file, "file", file))
    try:
        if settings is not None and (found := read_passphrase(settings.key)) is not None:
            return found
    except SettingsError:
        if not sys.stdin.isatty():
            raise
    if not sys.stdin.isatty():
        return None
    return str(click.prompt("keyring passphrase", hide_input=True, err=True))


def _key(settings: Settings, file: Path | None) -> PrivateKey | str:
    """The key that authenticates the backup, or why there is none."""
    if settings.key.backend == "test":
        return "the keyring is not encrypted, so any reader of a backup could forge one"
    try:
        passphrase = resolve_passphrase(file, settings)
        return open_keyring(keyring_of(settings), passphrase).key(settings.key.name)
    except (SettingsError, KeyLockedError, KeyMissingError) as error:
        return str(error)


def _manifest(settings: Settings, sources: dict[str, bytes | Path]) -> Manifest:
    return Manifest(
        format=FORMAT,
        program=version("virtengine-provider-gitops"),
        provider=settings.provider,
        made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        journal=_journal_version(sources),
        host_file=str(settings.host_file),
        key=settings.key.name,
        backend="test" if settings.key.backend == "test" else "file",
        files={
            name: sha256(source).hexdigest() if isinstance(source, bytes) else digest_of(source)
            for name, source in sources.items()
        },
    )


def _sources(settings: Settings, scratch: Path) -> Iterator[tuple[str, bytes | Path]]:
    """Content by name; small files are read once, as the daemon may replace them."""
    yield HOST, settings.host_file.read_bytes()
    if (scratch / JOURNAL).exists():
        yield JOURNAL, scratch / JOURNAL
    ring = keyring_of(settings)
    for each in sorted(ring.iterdir()) if ring.is_dir() else ():
        if _is_plain(each) and is_listed(name := f"{KEYRING}/{each.name}"):
            if len(name.encode()) > NAME_MAX:
                raise CliError(f"error: the key {each} has a name that is too long for a backup; rename it")
            yield name, each.read_bytes()
    for path in kept_files(settings.state):
        name = f"{STATE}/{path.relative_to(settings.state)}"
        if _is_plain(path) and is_listed(name):
            yield name, path.read_bytes()


def _unlisted(settings: Settings) -> Iterator[str]:
    """Unknown files of the state directory and the keyring."""
    state, ring = settings.state, keyring_of(settings)
    known = {Path(kept).parts[0] for kept in KEPT_STATE} | NOT_COPIED
    for path in sorted(state.iterdir()) if state.is_dir() else ():
        if (
            path.name not in known
            and not path.name.startswith(REPLACED)
            and path not in (ring, *ring.parents)
        ):
            yield f"an unknown file in the state directory, {path}"
    for path in sorted(ring.iterdir()) if ring.is_dir() else ():
        if not _is_plain(path) or not is_listed(f"{KEYRING}/{path.name}"):
            yield f"an unknown file in the keyring, {path}"


def _is_plain(path: Path) -> bool:
    """Whether a path is a regular file: a planted link could copy another file."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _ssh(settings: Settings) -> Path | None:
    """The state directory's ssh directory, if it exists or git uses it."""
    ours, repository = settings.state / SSH, settings.repository
    asks = not repository.is_local and not repository.url.startswith(("http://", "https://"))
    return ours if asks or ours.is_dir() else None


def _journal_version(sources: dict[str, bytes | Path]) -> int:
    journal = sources.get(JOURNAL)
    if not isinstance(journal, Path):
        return 0
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
