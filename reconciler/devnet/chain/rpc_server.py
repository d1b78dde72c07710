"""The HTTP port of the simulated node, on loopback: JSON-RPC by POST, URL parameters by GET."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.devnet.chain.faults import ConnectionLostError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import RpcError
from reconciler.devnet.chain.rpc_methods import RpcMethods
from reconciler.devnet.chain.subscriptions import SOCKET_METHODS, Subscriptions
from reconciler.devnet.chain.websocket import SocketClosedError, WebSocket, accept_key

_MOST_BYTES = 2 * 2**20
_PATIENCE_SECONDS = 0.2
_STOP_SECONDS = 0.05
"""The interval between checks for the stop request."""


class RpcServer:
    """Serves one chain's RPC methods."""

    def __init__(self, chain: SimulatedChain, port: int) -> None:
        served, methods = chain, RpcMethods(chain)

        class Answering(_Answering):
            """Requests to this chain."""

            chain = served
            rpc = methods

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_SECONDS,), name="rpc", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chain: SimulatedChain
    rpc: RpcMethods

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if size > _MOST_BYTES:
            self._reply({"jsonrpc": "2.0", "error": {"code": -32600, "message": "body too large"}})
            return
        try:
            request = json.loads(self.rfile.read(size))
        except ValueError:
            error = {"code": -32700, "message": "Parse error. Invalid JSON"}
            self._reply({"jsonrpc": "2.0", "error": error})
            return
        if isinstance(request, list):
            self._reply([self._answer(one) for one in request])
        else:
            self._reply(self._answer(request))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/websocket" and self.headers.get("upgrade", "").lower() == "websocket":
            self._serve_socket()
            return
        given = dict(parse_qsl(url.query, keep_blank_values=True))
        params = {key: _unquoted(value) for key, value in given.items()}
        self._reply(self._answer({"id": -1, "method": url.path.strip("/"), "params": params}))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing, as tests read the output."""

    def _answer(
        self, request: dict[str, Any], call: Callable[[dict[str, Any]], Any] | None = None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id", -1)}
        try:
            if call and str(request.get("method")) in SOCKET_METHODS:
                answer["result"] = call(request)
            else:
                answer["result"] = self.rpc.call(str(request.get("method")), request.get("params") or {})
        except RpcError as error:
            answer["error"] = {"code": error.code, "message": error.message}
            if error.data:
                answer["error"]["data"] = error.data
        return answer

    def _serve_socket(self) -> None:
        """Serve a websocket until one side closes it."""
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        self.send_header("sec-websocket-accept", accept_key(self.headers.get("sec-websocket-key", "")))
        self.end_headers()
        self.close_connection = True
        socket, wanted = WebSocket(self.rfile, self.wfile), Subscriptions(self.chain)
        ended = threading.Event()
        sender = threading.Thread(target=self._send_blocks, args=(socket, wanted, ended), daemon=True)
        sender.start()
        try:
            while True:
                request = json.loads(socket.receive())
                socket.send(json.dumps(self._answer(request, wanted.call), separators=(",", ":")))
        except (SocketClosedError, ValueError):
            return
        finally:
            ended.set()
            sender.join()

    def _send_blocks(self, socket: WebSocket, wanted: Subscriptions, ended: threading.Event) -> None:
        """Send each block's messages; a fault drops the socket instead, and its messages are lost."""
        while not ended.is_set():
            if not self.chain.wait_for(wanted.height + 1, _PATIENCE_SECONDS):
                continue
            if self.chain.faults.dropped_sockets:
                self.chain.faults.dropped_sockets -= 1
                self.connection.shutdown(SHUT_RDWR)
                return
            try:
                for text in wanted.new_messages():
                    socket.send(text)
            except SocketClosedError:
                return

    def _reply(self, answer: object) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        """Serve one request; a fault may close the connection without an answer."""
        try:
            super().handle_one_request()
        except ConnectionLostError:
            self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _unquoted(value: str) -> str:
    """URL parameters without their double quotes."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
