"""HTTP requests over a real socket."""

from __future__ import annotations

import builtins
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.documents.typed_json import decode_json
from reconciler.values.listen_address import ListenAddress

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response, read completely."""

    code: int
    type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def view(self, kind: builtins.type[View]) -> View:
        """The body as a view."""
        return decode_json(self.body, kind)


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Sends requests to an address, over TLS if a context is set."""

    at: ListenAddress
    tls: ssl.SSLContext | None = None

    def request(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> HttpResponse:
        """A request on a new connection."""
        connection = (
            http.client.HTTPSConnection(self.at.host, self.at.port, timeout=20, context=self.tls)
            if self.tls
            else http.client.HTTPConnection(self.at.host, self.at.port, timeout=20)
        )
        try:
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, body=body, headers=named)
            response = connection.getresponse()
            found = {name.lower(): text for name, text in response.getheaders()}
            return HttpResponse(response.status, found.get("content-type", ""), response.read(), found)
        finally:
            connection.close()


def http_request(
    at: ListenAddress, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> HttpResponse:
    """A request without TLS."""
    return HttpClient(at).request(path, method, body, **headers)
