"""A TCP proxy on loopback that, while it is silent, accepts connections and never answers."""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType

CHUNK_BYTES = 1 << 16


class SilentProxy:
    """Forwards to `host:port`, or hangs: `hang` also stops the connections that are open."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def hang(self) -> None:
        """Pass nothing on, in either direction, until `resume`."""
        self._open.clear()

    def resume(self) -> None:
        """Pass everything on again, also what came in between."""
        self._open.set()

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._open.set()
        self._listener.close()
        for each in list(self._sockets):
            each.close()

    def __enter__(self) -> SilentProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            client.close()
            return
        self._sockets.add(server)
        try:
            self._forward(client, server)
        except (OSError, ValueError):
            pass  # one side has closed
        finally:
            for each in (client, server):
                each.close()
                self._sockets.discard(each)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while not self._closed:
                for key, _ in selector.select(0.2):
                    self._open.wait()
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    if not (chunk := source.recv(CHUNK_BYTES)):
                        return
                    key.data.sendall(chunk)
