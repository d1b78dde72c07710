"""The forge's page, as the host file names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.documents.host_model import HostFile
from reconciler.values.forge_place import Place, place


@dataclass(frozen=True, slots=True)
class Page:
    """Where commits' states are shown, the file of the token, and the name of ours among other checks."""

    place: Place
    token_file: Path
    name: str


def page_of(here: Path, file: HostFile) -> Page | None:
    """What a host file without faults says; paths in it start at `here`."""
    if (said := file.forge) is None:
        return None
    name = said.context or f"provider-daemon/{file.provider.name}"
    return Page(place(said.url, said.repository, allow_http=said.allow_http), here / said.token_file, name)
