"""Credentials for plain hosts, from the host file; nothing of it comes from the repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.documents.adapter_access_model import AnsibleAccessModel
from reconciler.values.adapters import ANSIBLE


@dataclass(frozen=True, slots=True)
class Jump:
    """An SSH jump host; `user` "" is the daemon's own user name."""

    host: str
    port: int = 22
    user: str = ""

    @classmethod
    def parse(cls, text: str) -> Jump:
        """`user@host:port`, an IPv6 address in brackets; the host file's model has validated it."""
        user, _, place = text.rpartition("@")
        host, port = place, "22"
        if ":" in place.rpartition("]")[2]:
            host, _, port = place.rpartition(":")
        return cls(host.strip("[]"), int(port), user)


@dataclass(frozen=True, slots=True)
class HostCredentials:
    """For the adapter `name`. Absolute paths, None if not configured. `storage_paths` are directories on the
    hosts that records may not leave through a symbolic link (none: not checked).
    """

    private_key: Path | None = None
    known_hosts: Path | None = None
    vault: Path | None = None
    vault_password_file: Path | None = None
    jump: Jump | None = None
    storage_paths: tuple[str, ...] = ()
    name: str = ANSIBLE

    def errors(self) -> Iterator[str]:
        """Unreadable files, and secret files that others may read; each with its fix."""
        for key in ("private_key", "known_hosts", "vault", "vault_password_file"):
            path: Path | None = getattr(self, key)
            if path is None:
                continue
            try:
                mode = path.stat().st_mode
                path.open("rb").close()
            except OSError as error:
                where = f"adapters.{self.name}.{key} in the host file"
                yield f"{path}: cannot be read: {error.strerror}; see {where}"
                continue
            if mode & 0o077 and key != "known_hosts":
                yield f"others may read {path}; run chmod 600 {path}"


def host_credentials_of(name: str, directory: Path, model: AnsibleAccessModel) -> HostCredentials:
    """The host file's `adapters.<name>`; relative paths start at the file's directory."""

    def absolute(path: str | None) -> Path | None:
        return directory / path if path else None

    return HostCredentials(
        absolute(model.private_key),
        absolute(model.known_hosts),
        absolute(model.vault),
        absolute(model.vault_password_file),
        Jump.parse(model.jump) if model.jump else None,
        tuple(model.storage_paths),
        name,
    )
