"""The forge settings of the host file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.documents.host_model import HostFile
from reconciler.values.forge_repository import ForgeRepository, forge_repository


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """The repository whose commits get states, the token's file, the name of our check, and the certificate
    authorities for the host (None: the system's).
    """

    repository: ForgeRepository
    token_file: Path
    name: str
    ca_file: Path | None = None


def forge_settings_of(here: Path, file: HostFile) -> ForgeSettings | None:
    """The settings of a valid host file; its paths are relative to `here`; None without a forge."""
    if (forge := file.forge) is None:
        return None
    name = forge.context or f"provider-daemon/{file.provider.name}"
    repository = forge_repository(forge.url, forge.repository, allow_http=forge.allow_http)
    ca_file = forge.ca_file
    if ca_file is None and urlsplit(repository.api).hostname == urlsplit(file.repository.url).hostname:
        ca_file = file.repository.ca_file
    return ForgeSettings(
        repository, here / forge.token_file, name, None if ca_file is None else here / ca_file
    )
