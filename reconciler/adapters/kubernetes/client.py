"""HTTP requests to a Kubernetes API server: bytes in, bytes out."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException

from reconciler.adapters.kubernetes.api_errors import ApiError, error_from
from reconciler.adapters.kubernetes.connection import connect
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.naming import MANAGER

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
ERROR_MAX_BYTES = 64 << 10
CHUNK_BYTES = 64 << 10
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Accepts a list without specs and statuses."""

Query = Mapping[str, str]
_POOL = re.compile(r"^HTTPS?ConnectionPool\([^)]*\): ")
"""The prefix of urllib3's messages."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """`read_seconds` None: the ordinary timeout."""

    method: str
    path: str
    query: Query
    body: bytes | None = None
    content: str = "application/json"
    accept: str = "application/json"
    read_seconds: float | None = None


class ApiClient:
    """Uses the kubeconfig's credentials, and reloads them when the file changes. Thread-safe."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self._kubeconfig = kubeconfig
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._api: Any = None

    @property
    def adapter(self) -> str:
        """The name of the adapter, for log lines."""
        return self._kubeconfig.name

    @property
    def server(self) -> str:
        """The API server's address; before the first request, the kubeconfig's path."""
        return str(self._api.configuration.host) if self._api else str(self._kubeconfig.path)

    def get(self, path: str, query: Query, accept: str = "application/json") -> bytes:
        """The complete response; ApiError if it is incomplete or no success."""
        return self._complete(ApiRequest("GET", path, query, accept=accept))

    def apply(self, path: str, manifest: Mapping[str, Any], *, force: bool) -> bytes:
        """Server-side apply as our field manager; the resulting object."""
        query = {"fieldManager": MANAGER} | ({"force": "true"} if force else {})
        body = json.dumps(manifest).encode()
        return self._complete(ApiRequest("PATCH", path, query, body, "application/apply-patch+yaml"))

    def create(self, path: str, document: Mapping[str, Any]) -> bytes:
        """Post an object, such as an access review; the response."""
        return self._complete(ApiRequest("POST", path, {}, json.dumps(document).encode()))

    def delete(self, path: str, uid: str) -> bytes:
        """Delete the object with this uid; the server deletes its dependents."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        body = json.dumps(options | {"preconditions": {"uid": uid}}).encode()
        return self._complete(ApiRequest("DELETE", path, {}, body))

    def stream(self, path: str, query: Query, read_seconds: float) -> ApiStream:
        """A streaming response; ApiError if it does not start."""
        response = self._send(ApiRequest("GET", path, query, read_seconds=read_seconds))
        if response.status >= 300:
            raise _error_of(response)
        return ApiStream(response)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            if self._api is not None:
                self._api.close()

    def _complete(self, request: ApiRequest) -> bytes:
        response = self._send(request)
        try:
            if response.status >= 300:
                raise _error_of(response)
            body: bytes = response.read(decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, f"the response broke off: {_root_cause(error)}") from error
        finally:
            response.release_conn()
        return body

    def _send(self, request: ApiRequest) -> Any:
        api = self._connected()
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip", "User-Agent": MANAGER}
        if request.body is not None:
            headers["Content-Type"] = request.content
        try:
            method, url, headers = api.param_serialize(
                request.method,
                request.path,
                query_params=list(request.query.items()),
                header_params=headers,
                auth_settings=["BearerToken"],
            )[:3]
        except OSError as error:
            raise ApiError(0, str(error)) from error
        headers = headers | {"User-Agent": MANAGER}
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=request.read_seconds or ANSWER_SECONDS)
        try:
            return api.rest_client.pool_manager.request(
                method, url, body=request.body, headers=headers, timeout=timeout, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise ApiError(
                0, f"no response to {request.method} {request.path}: {_root_cause(error)}"
            ) from error

    def _connected(self) -> Any:
        try:
            with self._lock:
                version = self._kubeconfig.version()
                if version != self._version:
                    self._api, self._version = connect(self._kubeconfig), version
                return self._api
        except OSError as error:
            raise ApiError(0, str(error)) from error


class ApiStream:
    """A streaming response, line by line; `stop` ends it from another thread."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def lines(self) -> Iterator[bytes]:
        """Complete lines until the server ends the stream; ApiError if the connection breaks."""
        rest = b""
        try:
            for chunk in self._response.stream(CHUNK_BYTES, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ApiError(0, f"the connection broke: {_root_cause(error)}") from error
        finally:
            self._response.close()
        if rest:
            yield rest

    def stop(self) -> None:
        """End it, even while another thread reads it."""
        try:
            self._response.shutdown()
        except (ValueError, OSError, RuntimeError, AttributeError):
            return  # it has already ended


def _error_of(response: Any) -> ApiError:
    try:
        body = response.read(ERROR_MAX_BYTES, decode_content=True)
    except (urllib3.exceptions.HTTPError, OSError):
        body = b""
    finally:
        response.close()
    return error_from(response.status, body)


def _root_cause(why: Exception) -> str:
    """The innermost reason, without urllib3's wrappers."""
    reason = getattr(why, "reason", None)
    while isinstance(reason, Exception):
        why, reason = reason, getattr(reason, "reason", None)
    text = _POOL.sub("", str(why))
    return text.rpartition("object at 0x")[2].partition(">: ")[2] or text or type(why).__name__
