"""Image references: grammar, normal form, and patterns that deny images.

Grammar and defaults are those of github.com/distribution/reference. In addition, the registry is lower-cased,
the HTTPS port is omitted, and other names of Docker Hub become `docker.io`, so that each image has one
spelling, which is checked, shown and applied.
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
ID_LENGTH = 64
TRANSPORTS = frozenset(
    {"atomic", "containers-storage", "dir", "docker-archive", "docker-daemon", "file", "http", "https", "oci"}
    | {"oci-archive", "ostree", "sha256", "sha512", "sif", "tarball"}
)
"""Prefixes before a colon that engines take for a transport or an id, not a name."""

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
    """A parsed reference; `tag` is "" only if there is a digest."""

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
        """All forms that a pattern may match: without tag and digest, with either, with both."""
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return frozenset(self.name + end for end in ("", tag, digest, tag + digest))


def parse_image(text: str) -> ImageReference:
    """Parse a reference; ValueError (`message; advice`) if it names no image of a registry."""
    if len(text) > REFERENCE_MAX:
        raise ValueError(f"is longer than {REFERENCE_MAX} characters; {_FORM}")
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError(_syntax_error_of(text))
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
    """The normal form of an image; ValueError as `parse_image`."""
    return str(parse_image(text))


def hub_or_named(text: str) -> str:
    """The normal form of a tenant's image, where a name without a registry is always Docker Hub's, also one
    that could be an id; ValueError as `parse_image`.
    """
    is_short = len(text) < ID_LENGTH and bool(_SHORT_ID.fullmatch(text))
    return normal_image(f"{HUB}/{HUB_FOLDER}/{text}" if is_short else text)


def denied_by(image: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that matches the image, independent of spelling; None: it is allowed."""
    return next((pattern for pattern in patterns if _matches(image, pattern)), None)


@lru_cache(maxsize=1 << 14)
def _matches(image: str, pattern: str) -> bool:
    forms, wanted = parse_image(image).forms(), _normal_patterns(pattern)
    return any(fnmatchcase(form, each) for form in forms for each in wanted)


@lru_cache(maxsize=1 << 10)
def _normal_patterns(pattern: str) -> frozenset[str]:
    """A pattern in normal form; several if `*` in its registry matches several registries."""
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
    """The part after `docker.io/`; "/" for other registries."""
    return pattern.removeprefix(f"{HUB}/") if pattern.startswith(f"{HUB}/") else "/"


def _domain_patterns(domain: str) -> Iterable[str]:
    """With Docker Hub if one of its names matches, and without the port if it matches the HTTPS port."""
    host, colon, port = domain.partition(":")
    hosts = {host, *([HUB] if any(fnmatchcase(name, host) for name in HUB_NAMES) else [])}
    is_https = not colon or (fnmatchcase(str(HTTPS_PORT), port.lstrip("0")))
    return {f"{each}{colon}{port}" for each in hosts} | (hosts if is_https else set())


def _is_domain(first: str) -> bool:
    """Whether the part before the first slash is a registry, by the rule of distribution/reference."""
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
            raise ValueError("has an invalid IPv6 address as registry; correct it") from None
    if "." not in host and not host.startswith("[") and host != LOCALHOST and not digits:
        raise ValueError(f"has a registry {host} without a domain; write its full name")
    if host in HUB_NAMES and port == HTTPS_PORT:
        return HUB
    is_short = "." not in host and not host.startswith("[") and host != LOCALHOST
    return host if port == HTTPS_PORT and not is_short else f"{host}:{port}"


def _refuse_local(name: str, tag: str) -> None:
    """Reject names that engines resolve locally first, or do not take for a name."""
    if not tag and _SHORT_ID.fullmatch(name):
        raise ValueError(f"may be the id of an image on some host; write {HUB}/{HUB_FOLDER}/{name}")
    if tag and name in TRANSPORTS:
        raise ValueError(f"names a transport ({name}:), not an image of a registry; {_FORM}")


def _syntax_error_of(text: str) -> str:
    """Why a text is not a valid reference."""
    word, mark, _ = text.partition("://")
    if mark and word.isascii() and word.replace("-", "").isalnum():
        return f"names a transport ({word.lower()}://), which is not supported; {_FORM}"
    if text != text.lower() and _REFERENCE.fullmatch(text.lower()):
        return "has upper-case letters in its name; write it in lower case"
    return f"is not an image; {_FORM}"


CAPABILITIES = (
    "CHOWN",  # entry points give their data directory to the user that they become (postgres, redis, mysql)
    "DAC_OVERRIDE",  # root writes where another user owns: data directories, logs
    "FOWNER",  # chmod of what belongs to another user (postgres: 0700 of its data)
    "KILL",  # a supervisor as root signals workers of another user (nginx, s6)
    "NET_BIND_SERVICE",  # ports below 1024, where the runtime does not free them
    "SETGID",  # become an unprivileged group (gosu, su-exec, setpriv)
    "SETUID",  # become an unprivileged user
)
"""The Linux capabilities that tenants' containers keep; all others are dropped, on clusters and hosts.

Public images need these to start. Engines grant more by default; images that need more do not start:
FSETID, SETFCAP and SETPCAP are for installers and builders, and useless without privilege escalation;
SYS_CHROOT and AUDIT_WRITE are for sshd; MKNOD creates devices; NET_RAW forges packets.
"""
