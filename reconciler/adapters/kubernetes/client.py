"""Moves bytes to and from a Kubernetes API server, and nothing else."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException

from reconciler.adapters.kubernetes.connection import Kubeconfig, connect
from reconciler.adapters.kubernetes.naming import MANAGER
from reconciler.adapters.kubernetes.refusals import ApiError, error_from

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
ERROR_MAX_BYTES = 64 << 10
CHUNK_BYTES = 64 << 10
Query = Mapping[str, str]
_POOL = re.compile(r"^HTTPS?ConnectionPool\([^)]*\): ")
"""What urllib3 begins its sentences with."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request."""

    method: str
    path: str
    query: Query
    body: bytes | None = None
    content: str = "application/json"
    accept: str = "application/json"
    read_seconds: float | None = None


class ApiClient:
    """Requests with the kubeconfig's credentials, which are read again when the file changes. Thread-safe."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self._kubeconfig = kubeconfig
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._api: Any = None

    @property
    def server(self) -> str:
        """The API server's address, as far as it is known."""
        return str(self._api.configuration.host) if self._api else str(self._kubeconfig.path)

    def get(self, path: str, query: Query, accept: str = "application/json") -> bytes:
        """The whole answer's bytes; an ApiError where it is not a whole success."""
        return self._whole(ApiRequest("GET", path, query, accept=accept))

    def apply(self, path: str, manifest: Mapping[str, Any], *, force: bool) -> bytes:
        """Server-side apply as our field manager; the object as it then is."""
        query = {"fieldManager": MANAGER} | ({"force": "true"} if force else {})
        body = json.dumps(manifest).encode()
        return self._whole(ApiRequest("PATCH", path, query, body, "application/apply-patch+yaml"))

    def create(self, path: str, document: Mapping[str, Any]) -> bytes:
        """Post a document, such as a question about our rights; the answer to it."""
        return self._whole(ApiRequest("POST", path, {}, json.dumps(document).encode()))

    def delete(self, path: str, uid: str) -> bytes:
        """Delete that very object; its dependents follow."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        body = json.dumps(options | {"preconditions": {"uid": uid}}).encode()
        return self._whole(ApiRequest("DELETE", path, {}, body))

    def stream(self, path: str, query: Query, read_seconds: float) -> ApiStream:
        """An answer that goes on; an ApiError where it does not begin."""
        ask = ApiRequest("GET", path, query, read_seconds=read_seconds)
        response = self._send(ask)
        if response.status >= 300:
            raise self._refusal(response)
        return ApiStream(response)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            if self._api is not None:
                self._api.close()

    def _whole(self, ask: ApiRequest) -> bytes:
        response = self._send(ask)
        try:
            if response.status >= 300:
                raise self._refusal(response)
            body: bytes = response.read(decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as why:
            raise ApiError(0, f"the answer broke off: {_plain(why)}") from why
        finally:
            response.release_conn()
        return body

    def _refusal(self, response: Any) -> ApiError:
        try:
            body = response.read(ERROR_MAX_BYTES, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError):
            body = b""
        finally:
            response.close()
        return error_from(response.status, body)

    def _send(self, ask: ApiRequest) -> Any:
        api = self._connected()
        headers = {"Accept": ask.accept, "Accept-Encoding": "gzip", "User-Agent": MANAGER}
        if ask.body is not None:
            headers["Content-Type"] = ask.content
        try:
            method, url, headers = api.param_serialize(
                ask.method,
                ask.path,
                query_params=list(ask.query.items()),
                header_params=headers,
                auth_settings=["BearerToken"],
            )[:3]
        except OSError as why:
            raise ApiError(0, str(why)) from why
        headers = headers | {"User-Agent": MANAGER}
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ask.read_seconds or ANSWER_SECONDS)
        try:
            return api.rest_client.pool_manager.request(
                method, url, body=ask.body, headers=headers, timeout=timeout, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as why:
            raise ApiError(0, f"no answer to {ask.method} {ask.path}: {_plain(why)}") from why

    def _connected(self) -> Any:
        try:
            with self._lock:
                version = self._kubeconfig.version()
                if version != self._version:
                    self._api, self._version = connect(self._kubeconfig), version
                return self._api
        except OSError as why:
            raise ApiError(0, str(why)) from why


class ApiStream:
    """An answer that goes on, line by line; `stop` ends it from another thread."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def lines(self) -> Iterator[bytes]:
        """Whole lines; ends when the server ends it, an ApiError where the connection breaks."""
        rest = b""
        try:
            for chunk in self._response.stream(CHUNK_BYTES, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as why:
            raise ApiError(0, f"the connection broke: {_plain(why)}") from why
        finally:
            self._response.close()
        if rest:
            yield rest

    def stop(self) -> None:
        """End it, whoever reads it just now."""
        try:
            self._response.shutdown()
        except (ValueError, OSError, RuntimeError, AttributeError):
            return  # it has ended already


def _plain(why: Exception) -> str:
    """The innermost reason, without urllib3's wrappings."""
    reason = getattr(why, "reason", None)
    while isinstance(reason, Exception):
        why, reason = reason, getattr(reason, "reason", None)
    text = _POOL.sub("", str(why))
    return text.rpartition("object at 0x")[2].partition(">: ")[2] or text or type(why).__name__
