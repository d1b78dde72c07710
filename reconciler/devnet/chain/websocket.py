"""The websocket frames that a JSON-RPC server needs (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import threading
from io import BufferedIOBase

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_CONTINUED = 0
_LAST = 0x80
_MASKED = 0x80
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_BYTES = 2 * 2**20


class SocketClosedError(Exception):
    """The peer has closed the connection."""


def accept_key(key: str) -> str:
    """The accept value for a handshake's key."""
    return base64.b64encode(hashlib.sha1(f"{key}{_MAGIC}".encode(), usedforsecurity=False).digest()).decode()


class WebSocket:
    """A connection after its handshake; texts may be sent from several threads."""

    def __init__(self, reader: BufferedIOBase, writer: BufferedIOBase) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, text: str) -> None:
        """Send one text."""
        self._frame(TEXT, text.encode())

    def receive(self) -> str:
        """The next text; pings are answered; SocketClosedError at the end."""
        whole = b""
        while True:
            kind, last, body = self._read_frame()
            if kind == CLOSE:
                self._frame(CLOSE, body[:2])
                raise SocketClosedError
            if kind == PING:
                self._frame(PONG, body)
            elif kind in (TEXT, _CONTINUED):
                whole += body
                if len(whole) > _MOST_BYTES:
                    raise SocketClosedError
                if last:
                    return whole.decode()

    def _frame(self, kind: int, body: bytes) -> None:
        size = len(body)
        if size < 126:
            head = bytes([_LAST | kind, size])
        elif size < 2**16:
            head = bytes([_LAST | kind, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([_LAST | kind, 127]) + size.to_bytes(8, "big")
        try:
            with self._lock:
                self._writer.write(head + body)
                self._writer.flush()
        except (OSError, ValueError) as error:
            raise SocketClosedError from error

    def _read_frame(self) -> tuple[int, bool, bytes]:
        first, second = self._exactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        if size > _MOST_BYTES or not second & _MASKED:
            raise SocketClosedError
        mask, body = self._exactly(4), self._exactly(size)
        plain = bytes(sign ^ mask[place % 4] for place, sign in enumerate(body))
        return first & 0x0F, bool(first & _LAST), plain

    def _exactly(self, size: int) -> bytes:
        try:
            data = self._reader.read(size)
        except (OSError, ValueError) as error:
            raise SocketClosedError from error
        if len(data) < size:
            raise SocketClosedError
        return data
