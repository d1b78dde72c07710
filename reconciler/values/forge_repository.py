"""The address of a repository on a forge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from reconciler.values.listen_address import LOOPBACK

_PART = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9._-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_HOSTED = {"github.com": "https://api.github.com", "www.github.com": "https://api.github.com"}


@dataclass(frozen=True, slots=True)
class ForgeRepository:
    """A repository on a forge: the root of the API (https://HOST/api/v1) and OWNER/NAME; `allow_http` permits
    plain HTTP to other hosts than this machine.
    """

    api: str
    repository: str
    allow_http: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.api)
        if not parts.hostname or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise ValueError(f'"{self.api}" is not a forge\'s address; write https://HOST')
        if parts.username is not None:
            raise ValueError(
                "a forge's address contains no user and no token; remove everything before the @"
            )
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_http:
            raise ValueError(
                f"{self.api} is not encrypted, so the token could be read on the network; write https://, "
                "or permit it with forge.allow_http in the host file or FORGE_ALLOW_HTTP=true in CI"
            )
        if not _PART.fullmatch(self.repository):
            raise ValueError(f'"{self.repository}" is not a repository; write OWNER/NAME')

    def at(self, path: str) -> str:
        """The URL of a resource of the repository."""
        return f"{self.api}/repos/{self.repository}/{path}"


def forge_repository(url: str, repository: str, *, allow_http: bool = False) -> ForgeRepository:
    """Parse a forge's address: the API root, or the address that a browser shows; ValueError says what is
    wrong.
    """
    plain = url.rstrip("/")
    try:
        parts = urlsplit(plain)
        host, path = parts.hostname or "", parts.path
    except ValueError:
        raise ValueError(f'"{url}" is not an address; write https://HOST') from None
    if host in _HOSTED:
        return ForgeRepository(_HOSTED[host], repository, allow_http)
    is_root = host == "api.github.com" or path.endswith(("/api/v1", "/api/v3"))
    return ForgeRepository(plain if is_root else f"{plain}/api/v1", repository, allow_http)
