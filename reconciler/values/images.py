"""Image references: the grammar of the registries, one normal form, and the patterns that deny images.

The grammar and the defaults are those of github.com/distribution/reference. Beyond it, the registry is in
lower case, the port of HTTPS is left out, and other names of Docker Hub become `docker.io`, so that an image
has one spelling: the one that is judged, shown and applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import IPv6Address

REFERENCE_MAX = 512
NAME_MAX = 255
HUB = "docker.io"
HUB_NAMES = frozenset({HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
HUB_FOLDER = "library"
LOCALHOST = "localhost"
HTTPS_PORT = 443
PORT_MAX = 65_535
TRANSPORTS = frozenset(
    {"atomic", "containers-storage", "dir", "docker-archive", "docker-daemon", "file", "http", "https", "oci"}
    | {"oci-archive", "ostree", "sha256", "sha512", "sif", "tarball"}
)
"""Words before a colon that container engines read as a place or an id instead of as a name."""

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*"
PATTERN = rf"^({_NAME})(?::([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(sha256:[a-f0-9]{{64}}))?$"
_REFERENCE = re.compile(PATTERN)
_SHORT_ID = re.compile(r"[0-9a-f]+")
_FORM = "write [registry/]name[:tag][@sha256:digest]"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image in its parts; `tag` is "" only where a digest alone says which one."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Such as `docker.io/library/nginx`."""
        return f"{self.domain}/{self.path}"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def forms(self) -> frozenset[str]:
        """What a pattern may name: without tag and digest, with either, with both."""
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return frozenset(self.name + end for end in ("", tag, digest, tag + digest))


def parse_image(text: str) -> ImageReference:
    """The parts of a reference; ValueError (`message; advice`) for text that names no image of a registry."""
    if len(text) > REFERENCE_MAX:
        raise ValueError(f"is longer than {REFERENCE_MAX} characters; {_FORM}")
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError(_fault_of(text))
    name, tag, digest = found[1], found[2] or "", found[3] or ""
    if not digest and "/" not in name:
        _refuse_local(name, tag)
    first, slash, rest = name.partition("/")
    domain, path = (_domain(first), rest) if slash and _is_domain(first) else (HUB, name)
    if domain == HUB and "/" not in path:
        path = f"{HUB_FOLDER}/{path}"
    if len(domain) + 1 + len(path) > NAME_MAX:
        raise ValueError(f"has a name of more than {NAME_MAX} characters; use a shorter one")
    return ImageReference(domain, path, tag or ("" if digest else "latest"), digest)


def normal_image(text: str) -> str:
    """The one spelling of an image; ValueError as `parse_image`."""
    return str(parse_image(text))


def denied_by(image: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that denies an image, whatever the spelling of either; None: it is allowed."""
    return next((pattern for pattern in patterns if _matches(image, pattern)), None)


@lru_cache(maxsize=1 << 14)
def _matches(image: str, pattern: str) -> bool:
    forms, wanted = parse_image(image).forms(), _normal_patterns(pattern)
    return any(fnmatchcase(form, each) for form in forms for each in wanted)


@lru_cache(maxsize=1 << 10)
def _normal_patterns(pattern: str) -> frozenset[str]:
    """The patterns of normal forms that one pattern stands for; `*` in a registry stands for any, so that
    several may be meant.
    """
    name, at, digest = pattern.partition("@")
    start = name.rfind("/") + 1
    last, colon, tag = name[start:].partition(":")
    name = (name[:start] + last).lower()
    first, slash, rest = name.partition("/")
    found = {name}
    if slash and _is_domain(first):
        found |= {f"{domain}/{rest}" for domain in _domain_patterns(first)}
    if not slash or not _is_domain(first):
        found.add(f"{HUB}/{name}")
    found |= {f"{HUB}/{HUB_FOLDER}/{path}" for each in found if "/" not in (path := _path_on_hub(each))}
    return frozenset(each + colon + tag + at + digest for each in found)


def _path_on_hub(pattern: str) -> str:
    """What follows `docker.io/`; "/" where it does not begin so."""
    return pattern.removeprefix(f"{HUB}/") if pattern.startswith(f"{HUB}/") else "/"


def _domain_patterns(domain: str) -> Iterable[str]:
    """Docker Hub where one of its names fits, and no port where that of HTTPS fits."""
    host, colon, port = domain.partition(":")
    hosts = {host, *([HUB] if any(fnmatchcase(name, host) for name in HUB_NAMES) else [])}
    is_https = not colon or (fnmatchcase(str(HTTPS_PORT), port.lstrip("0")))
    return {f"{each}{colon}{port}" for each in hosts} | (hosts if is_https else set())


def _is_domain(first: str) -> bool:
    """Whether the part before the first stroke is a registry, as distribution/reference decides."""
    return any(sign in first for sign in ".:[") or first == LOCALHOST or first != first.lower()


def _domain(text: str) -> str:
    host, _, digits = text.rpartition(":") if re.search(r":[0-9]+$", text) else (text, "", "")
    host = host.lower()
    port = int(digits) if digits else HTTPS_PORT
    if not 0 < port <= PORT_MAX:
        raise ValueError(f"has a registry at port {port}; a port is a number from 1 to {PORT_MAX}")
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            raise ValueError("has a registry at what is no IPv6 address; correct it") from None
    if "." not in host and not host.startswith("[") and host != LOCALHOST and not digits:
        raise ValueError(f"has a registry {host} without a domain; write its name in full")
    if host in HUB_NAMES and port == HTTPS_PORT:
        return HUB
    is_short = "." not in host and not host.startswith("[") and host != LOCALHOST
    return host if port == HTTPS_PORT and not is_short else f"{host}:{port}"


def _refuse_local(name: str, tag: str) -> None:
    """What container engines look for on their own machine first, or read as no name at all."""
    if not tag and _SHORT_ID.fullmatch(name):
        raise ValueError(f"may be the id of an image on some host; write {HUB}/{HUB_FOLDER}/{name}")
    if tag and name in TRANSPORTS:
        raise ValueError(f"names no registry's image but a place ({name}:); {_FORM}")


def _fault_of(text: str) -> str:
    """Why a text does not have the form of a reference."""
    word, mark, _ = text.partition("://")
    if mark and word.isascii() and word.replace("-", "").isalnum():
        return f"names a transport ({word.lower()}://), which has no place here; {_FORM}"
    if text != text.lower() and _REFERENCE.fullmatch(text.lower()):
        return "has capital letters in its name; write the name in lower case"
    return f"is not an image; {_FORM}"
