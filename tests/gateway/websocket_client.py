"""A websocket client as simple as the recorded one: it answers no pings."""

from __future__ import annotations

import base64
import os
import ssl
import struct
from collections.abc import Iterator, Mapping

from tests.gateway.gateway_server import Gateway

TEXT, CLOSE, PING = 1, 8, 9


class WebsocketClient:
    """One connection; `status` is that of the upgrade, `body` the answer to a refused one."""

    def __init__(self, gateway: Gateway, path: str, headers: Mapping[str, str]) -> None:
        self._socket: ssl.SSLSocket = gateway.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]  # fmt: skip
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        length = 0
        while (line := self._file.readline().strip().lower()) not in (b"",):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.body = self._file.read(length)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of each frame, up to the close."""
        while True:
            head = self._file.read(2)
            if len(head) < 2:
                return
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self._file.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._file.read(8))
            yield head[0] & 0x0F, self._file.read(length)
            if head[0] & 0x0F == CLOSE:
                return

    def send(self, opcode: int, payload: bytes) -> None:
        """A masked frame of at most 125 bytes."""
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def close(self) -> None:
        """Drop the connection."""
        self._file.close()
        self._socket.close()


def code_of(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame."""
    return struct.unpack(">H", payload[:2])[0], payload[2:].decode()
