"""How plain hosts are reached: the host file alone says it, nothing of it comes from the repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.documents.host_model import AnsibleAccessModel


@dataclass(frozen=True, slots=True)
class Jump:
    """An SSH server through which hosts are reached; `user` "" is the daemon's own name."""

    host: str
    port: int = 22
    user: str = ""

    @classmethod
    def parse(cls, text: str) -> Jump:
        """`user@host:port`, an IPv6 address in brackets; of the form that the host file demands."""
        user, _, place = text.rpartition("@")
        host, port = place, "22"
        if ":" in place.rpartition("]")[2]:
            host, _, port = place.rpartition(":")
        return cls(host.strip("[]"), int(port), user)


@dataclass(frozen=True, slots=True)
class HostCredentials:
    """Each None where it is not named; paths are absolute. `storage_paths` are the directories of hosts that
    records may not leave by a link (none: that is not checked).
    """

    private_key: Path | None = None
    known_hosts: Path | None = None
    vault: Path | None = None
    vault_password_file: Path | None = None
    jump: Jump | None = None
    storage_paths: tuple[str, ...] = ()

    def complaints(self) -> Iterator[str]:
        """What is wrong with the files, in sentences that say what to do."""
        for key, path in self._named():
            try:
                mode = path.stat().st_mode
                path.open("rb").close()
            except OSError as why:
                yield f"{path}: cannot be read: {why.strerror}; see adapters.ansible.{key} in the host file"
                continue
            if mode & 0o077 and key != "known_hosts":
                yield f"others may read {path}; run chmod 600 {path}"

    def _named(self) -> Iterator[tuple[str, Path]]:
        for key in ("private_key", "known_hosts", "vault", "vault_password_file"):
            if (path := getattr(self, key)) is not None:
                yield key, path


def host_credentials_of(here: Path, model: AnsibleAccessModel) -> HostCredentials:
    """The host file's `adapters.ansible`; relative paths start where the file is."""

    def below(path: str | None) -> Path | None:
        return here / path if path else None

    return HostCredentials(
        below(model.private_key),
        below(model.known_hosts),
        below(model.vault),
        below(model.vault_password_file),
        Jump.parse(model.jump) if model.jump else None,
        tuple(model.storage_paths),
    )
