"""The forge's page, as the host file names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.documents.host_model import HostFile
from reconciler.values.forge_repository import ForgeRepository, forge_repository


@dataclass(frozen=True, slots=True)
class ForgePage:
    """Where commits' states are shown, the file of the token, the name of ours among other checks, and the
    authorities that may vouch for the host (None: the system's).
    """

    place: ForgeRepository
    token_file: Path
    name: str
    ca_file: Path | None = None


def forge_page_of(here: Path, file: HostFile) -> ForgePage | None:
    """What a host file without faults says; paths in it start at `here`."""
    if (said := file.forge) is None:
        return None
    name = said.context or f"provider-daemon/{file.provider.name}"
    where = forge_repository(said.url, said.repository, allow_http=said.allow_http)
    ca_file = said.ca_file
    if ca_file is None and urlsplit(where.api).hostname == urlsplit(file.repository.url).hostname:
        ca_file = file.repository.ca_file
    return ForgePage(where, here / said.token_file, name, None if ca_file is None else here / ca_file)
