"""Asking a server as curl does, over a real socket."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from reconciler.values.listening import Listen


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    code: int
    type: str
    body: bytes

    @property
    def tree(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(at: Listen, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(at.host, at.port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheader("Content-Type", ""), response.read())
    finally:
        connection.close()
