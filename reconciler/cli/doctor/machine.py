"""`doctor`, checks of this machine: state directory, lock, disk, git, key, ports."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.api.auth.tls import Certificate, RemoteAccess, RemoteAccessError
from reconciler.chain.keyring import KeyLockedError, KeyMissingError, open_keyring
from reconciler.chain.keys import PrivateKey
from reconciler.cli.doctor.checks import CheckResult, ok, warn, wrong
from reconciler.journal.lock import NAME as LOCK
from reconciler.journal.lock import holder
from reconciler.runtime.sealing import Identities, SealingError
from reconciler.runtime.secret_files import SecretError, SecretFile, read_tokens
from reconciler.settings import Settings, SettingsError, read_passphrase
from reconciler.values.listen_address import ListenAddress
from reconciler.values.text import printable

GIT_LEAST = (2, 36)
"""The first version with `git cat-file --batch-command`."""

DISK_LEAST_BYTES = 200 << 20
DISK_GOOD_BYTES = 1 << 30


def check_state(settings: Settings) -> Iterator[CheckResult]:
    """Permissions and free space of the state directory, and the holder of its lock."""
    state = settings.state
    if not state.is_dir():
        yield from _missing(state)
        return
    found = state.stat()
    if found.st_mode & 0o077:
        yield wrong("state", f"other users can enter {state}; run chmod 700 {state}")
    elif found.st_uid != os.geteuid():
        who = _name_of(found.st_uid)
        advice = f"run it as the daemon's user: sudo -u {who} provider-daemon doctor"
        yield warn("state", f"{state} belongs to {who}, not to you", advice)
    elif not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        yield wrong("state", f"{state} is not writable; mount it writable, or configure another as state:")
    else:
        yield ok("state", f"{state}, accessible only to its owner")
    running = runs(state)
    yield ok("lock", f"held by the running daemon ({holder(state)})" if running else "no daemon is running")
    yield _disk(state)


def check_sealing(settings: Settings) -> Iterator[CheckResult]:
    """Whether this host can unseal what is sealed for the recipient in the host file."""
    if (sealing := settings.sealing) is None:
        return
    try:
        recipients = Identities(sealing.identity).recipients()
    except SealingError as error:
        yield wrong("sealing", str(error))
        return
    if sealing.recipient in recipients:
        yield ok("sealing", f"{sealing.identity} unseals what is sealed for {sealing.recipient}")
    else:
        why = f"{sealing.identity} has no identity for sealing.recipient, {sealing.recipient}"
        yield wrong("sealing", why, "restore the file, or run `provider-daemon seal --new-identity`")


def check_git() -> Iterator[CheckResult]:
    """The version of git: older ones cannot read many objects in one process."""
    advice = f"install git {_dotted(GIT_LEAST)} or newer"
    command = ("git", "--version")
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        yield wrong("git", f"git does not run: {error}", advice)
        return
    found = re.search(r"(\d{1,4})\.(\d{1,4})", text)
    if found is None:
        yield warn("git", f"the version of git is not known: {printable(text.strip()[:100])}", advice)
    elif (int(found[1]), int(found[2])) < GIT_LEAST:
        yield wrong("git", f"{printable(text.strip()[:100])} is too old", advice)
    else:
        yield ok("git", text.strip())


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _missing(state: Path) -> Iterator[CheckResult]:
    above = next(path for path in state.parents if path.exists())
    if os.access(above, os.W_OK | os.X_OK):
        yield ok("state", f"{state} is created at the first start")
    else:
        yield wrong(
            "state", f"{state} is missing and cannot be created in {above}; create it for the daemon's user"
        )


def _disk(state: Path) -> CheckResult:
    free = shutil.disk_usage(state).free
    room = f"{free >> 20} MB are free at {state}"
    if free < DISK_LEAST_BYTES:
        return wrong("disk", room, "free disk space: a journal that cannot be written stops all spending")
    return ok("disk", room) if free >= DISK_GOOD_BYTES else warn("disk", room, "free disk space soon")


def runs(state: Path) -> bool:
    """Whether a daemon holds the lock of the state directory."""
    try:
        handle = os.open(state / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


def open_key(settings: Settings) -> PrivateKey | CheckResult:
    """The signing key, or why it cannot be read."""
    directory = settings.key.keyring / f"keyring-{settings.key.backend}"
    try:
        return open_keyring(directory, read_passphrase(settings.key)).key(settings.key.name)
    except (SettingsError, KeyMissingError, KeyLockedError, OSError) as error:
        advice = "see provider.keyring, provider.key and provider.passphrase_file in the host file"
        return wrong("key", str(error), advice)


def check_ports(settings: Settings) -> Iterator[CheckResult]:
    """Whether our servers can listen on their addresses, or already do."""
    running = runs(settings.state)
    listen = settings.listen
    places = {"port api": listen.api, "port metrics": listen.metrics, "port outside": listen.outside}
    if settings.gateway is not None:
        places |= {"port gateway": settings.gateway.address, "port grpc": settings.gateway.grpc}
    for check, place in places.items():
        if place is not None:
            yield _port(check, place, running)


def check_outside(settings: Settings) -> Iterator[CheckResult]:
    """The API's remote access: certificate and tokens."""
    listen = settings.listen
    if all(at is None or at.is_loopback for at in (listen.api, listen.metrics, listen.outside)):
        return
    try:
        certificate = Certificate(RemoteAccess(listen.tls_certificate, listen.tls_key, listen.client_ca))
        found = certificate.trouble(int(time.time()))
        if found is None:
            yield ok("certificate", f"{certificate} is valid until {_day(certificate.expires_at)}")
        else:
            bad = found.reason == "CertificateExpired"
            yield (wrong if bad else warn)("certificate", found.message, found.advice)
    except RemoteAccessError as error:
        yield wrong("certificate", str(error))
    if listen.tokens is not None:
        try:
            tokens = SecretFile(listen.tokens, read_tokens).content
            yield ok("tokens", f"{listen.tokens} holds {len(tokens)}")
        except SecretError as error:
            yield wrong("tokens", str(error))


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _port(check: str, place: ListenAddress, running: bool) -> CheckResult:
    try:
        with socket.create_server((place.host, place.port), family=_family(place)):
            state = "free; the daemon that runs does not listen there" if running else "free"
            advice = "restart it, its host file has changed"
            return warn(check, f"{place} is {state}", advice) if running else ok(check, f"{place} is free")
    except PermissionError:
        return wrong(check, f"{place} needs root; choose a port from 1024 on")
    except OSError as error:
        if running:
            return ok(check, f"{place} is in use by the running daemon")
        advice = f"find its process: ss -ltnp 'sport = :{place.port}', or choose another port in listen:"
        return wrong(check, f"cannot listen on {place}: {error.strerror}", advice)


def _family(place: ListenAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in place.host else socket.AF_INET


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
