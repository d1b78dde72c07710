"""`expose` of an SDL service: ports, recipients, host names and HTTP options."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted
from reconciler.manifests.http_option_checks import check_http_options
from reconciler.manifests.manifest import ExposeHttpOptions, ManifestExpose, Protocol, expose_order
from reconciler.manifests.yaml_decoding import (
    BOOLEAN,
    TEXT,
    UINT32,
    Custom,
    Decoding,
    Sequence,
    Structure,
)
from reconciler.manifests.yaml_nodes import YamlNode
from reconciler.values.specification import DEFAULT_HTTP

_HOST_CHARACTER = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%]|[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class HttpOptionsEntry:
    """HTTP options as written; 0 is the default."""

    max_body_size: int
    read_timeout: int
    send_timeout: int
    next_tries: int
    next_timeout: int
    next_cases: tuple[str, ...] | None

    def checked(self) -> ExposeHttpOptions:
        """The options with defaults; ManifestError where one is not allowed."""
        options = ExposeHttpOptions(
            self.max_body_size or DEFAULT_HTTP.body_bytes_max,
            self.read_timeout or DEFAULT_HTTP.read_timeout_milliseconds,
            self.send_timeout or DEFAULT_HTTP.send_timeout_milliseconds,
            self.next_tries or DEFAULT_HTTP.next_tries,
            self.next_timeout,
            self.next_cases or DEFAULT_HTTP.next_cases,
        )
        check_http_options(options)
        return options


@dataclass(frozen=True, slots=True)
class RecipientEntry:
    """One entry of `to`: a service, the world, or a leased IP."""

    service: str
    is_global: bool
    ip: str
    http_options: HttpOptionsEntry


@dataclass(frozen=True, slots=True)
class ExposeEntry:
    """One entry of `expose`; HTTP options of a recipient have no effect."""

    port: int
    external_port: int
    proto: str
    to: tuple[RecipientEntry, ...] | None
    accept: tuple[str, ...] | None
    http_options: HttpOptionsEntry


def _accept(decoding: Decoding, node: YamlNode) -> tuple[str, ...] | None:
    hosts: tuple[str, ...] | None = decoding.part(node, Sequence("[]string", TEXT))
    for host in hosts or ():
        if wrong := _url_error(host):
            raise ManifestError(f"parse {quoted(f'http://{host}')}: {wrong}")
    return hosts


def _url_error(host: str) -> str:
    """The error of Go's net/url for `http://<host>`; "" if it is a URL."""
    if re.search(r"[\x00-\x1f\x7f]", host):
        return "net/url: invalid control character in URL"
    authority, slash, path = host.partition("?")[0].partition("/")
    user, at, name = authority.rpartition("@")
    if at and re.search(r"[^A-Za-z0-9\-._:~!$&'()*+,;=%@]", user):
        return "net/url: invalid userinfo"
    if name.startswith("[") and "]" not in name:
        return "missing ']' in host"
    port = name[name.rindex("]") + 1 :] if name.startswith("[") else "".join(name.rpartition(":")[1:])
    if not name.startswith("[") and ":" not in name:
        port = ""
    if port and not re.fullmatch(r":[0-9]*", port):
        return f"invalid port {quoted(port)} after host"
    return _escape_error(name, is_host=True) or (_escape_error(path, is_host=False) if slash else "")


def _escape_error(text: str, *, is_host: bool) -> str:
    for place, character in enumerate(text):
        if character == "%":
            escape = text[place : place + 3]
            if not re.fullmatch(r"%[0-9a-fA-F]{2}", escape):
                return f"invalid URL escape {quoted(escape)}"
            if is_host and escape[1] < "8" and escape != "%25":
                return f"invalid URL escape {quoted(escape)}"
        elif is_host and not _HOST_CHARACTER.fullmatch(character):
            return f"invalid character {quoted(character)} in host name"
    return ""


_HTTP_OPTIONS = Structure(
    "sdl.v2HTTPOptions",
    HttpOptionsEntry,
    {
        name: (name, UINT32)
        for name in ("max_body_size", "read_timeout", "send_timeout", "next_tries", "next_timeout")
    }
    | {"next_cases": ("next_cases", Sequence("[]string", TEXT))},
)
_RECIPIENT = Structure(
    "sdl.v2ExposeTo",
    RecipientEntry,
    {
        "service": ("service", TEXT),
        "global": ("is_global", BOOLEAN),
        "http_options": ("http_options", _HTTP_OPTIONS),
        "ip": ("ip", TEXT),
    },
)
EXPOSES = Sequence(
    "sdl.v2Exposes",
    Structure(
        "sdl.v2Expose",
        ExposeEntry,
        {
            "port": ("port", UINT32),
            "as": ("external_port", UINT32),
            "proto": ("proto", TEXT),
            "to": ("to", Sequence("[]sdl.v2ExposeTo", _RECIPIENT)),
            "accept": ("accept", Custom(None, _accept)),
            "http_options": ("http_options", _HTTP_OPTIONS),
        },
    ),
)
"""`expose` of a service."""


def manifest_exposes(
    entries: tuple[ExposeEntry, ...], sequence_numbers: dict[str, int]
) -> tuple[ManifestExpose, ...]:
    """The exposes in the manifest's order, one for each recipient; ManifestError for a protocol or option."""
    found = [expose for entry in entries for expose in _exposes(entry, sequence_numbers)]
    return tuple(sorted(found, key=expose_order))


def _exposes(entry: ExposeEntry, sequence_numbers: dict[str, int]) -> list[ManifestExpose]:
    protocol = entry.proto.upper() or Protocol.TCP
    if protocol not in tuple(Protocol):
        raise ManifestError("unsupported service protocol")
    options = entry.http_options.checked()
    none_named = RecipientEntry("", is_global=False, ip="", http_options=entry.http_options)
    return [
        ManifestExpose(
            port=entry.port,
            external_port=entry.external_port,
            protocol=str(protocol),
            service=to.service,
            is_global=to.is_global,
            hosts=entry.accept,
            http_options=options,
            ip=to.ip,
            endpoint_sequence_number=sequence_numbers.get(to.ip, 0) if to.is_global and to.ip else 0,
        )
        for to in entry.to or (none_named,)
    ]
