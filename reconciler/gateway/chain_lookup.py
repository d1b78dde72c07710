"""Public keys and certificates of tenants, from the chain by a bounded cache (tenant 2.1, 2.2)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import Message

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto import cert_v1_pb2, cosmos_auth_pb2, cosmos_secp256k1_pb2
from reconciler.chain.queries import ACCOUNT, CERTIFICATES, Queries
from reconciler.chain.stubs import Unary
from reconciler.gateway.client_certificates import PublishedCertificate, pem_content
from reconciler.runtime.rate_limit import Rate, RateLimiter

ENTRIES_MAX = 4_096
KEY_SECONDS, CERTIFICATE_SECONDS = 3_600.0, 60.0
"""Life of an entry. Keys of accounts never change; a revoked certificate loses access when its entry ends."""

ABSENT_SECONDS = 30.0
"""Life of an entry for a key or certificate that does not exist, which may be published at any time."""

CLIENT_RATE = Rate(0.5, 20)
"""Queries that the requests of one network address may cause."""

OTHERS_RATE, TENANTS_RATE = Rate(10, 100), Rate(50, 500)
"""Queries about all accounts without and with a lease here."""

RETRY_SECONDS = 5
"""After a failed query the chain counts as down for so long, and no request waits for it."""

Value = TypeVar("Value")
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class LookupRefusedError(Exception):
    """A key or certificate that is not looked up: HTTP status, and after how many seconds to retry."""

    def __init__(self, status: int, message: str, retry_seconds: int) -> None:
        super().__init__(message)
        self.status, self.retry_seconds = status, retry_seconds


@dataclass(slots=True)
class _Entry(Generic[Value]):
    value: Value | None
    until: float


@dataclass(slots=True)
class LookupCache(Generic[Value]):
    """Values by name, the least recently used one is forgotten first. Not thread-safe."""

    present_seconds: float
    entries_max: int = ENTRIES_MAX
    _entries: OrderedDict[str, _Entry[Value]] = field(default_factory=OrderedDict)

    def get(self, name: str, now: float) -> _Entry[Value] | None:
        """The entry of a name, if it has not ended."""
        entry = self._entries.get(name)
        if entry is None or entry.until <= now:
            return None
        self._entries.move_to_end(name)
        return entry

    def put(self, name: str, value: Value | None, now: float) -> None:
        """Replace the entry of a name; None for what does not exist."""
        seconds = self.present_seconds if value is not None else ABSENT_SECONDS
        self._entries[name] = _Entry(value, now + seconds)
        self._entries.move_to_end(name)
        if len(self._entries) > self.entries_max:
            self._entries.popitem(last=False)


@dataclass(slots=True)
class _Caches:
    """Of accounts with a lease here, or of the others, which can evict and delay each other only."""

    rate: RateLimiter
    keys: LookupCache[bytes] = field(default_factory=lambda: LookupCache(KEY_SECONDS))
    certificates: LookupCache[PublishedCertificate] = field(
        default_factory=lambda: LookupCache(CERTIFICATE_SECONDS)
    )


class ChainLookup:
    """Looks up keys and certificates; thread-safe. Equal look-ups at one time share one query."""

    def __init__(
        self,
        node: GrpcNode,
        is_tenant: Callable[[str], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._is_tenant = is_tenant
        self._now = now
        self._lock = threading.Lock()
        self._clients = RateLimiter(CLIENT_RATE)
        self._caches = {
            is_tenant: _Caches(RateLimiter(rate))
            for is_tenant, rate in ((False, OTHERS_RATE), (True, TENANTS_RATE))
        }
        self._under_way: dict[str, threading.Event] = {}
        self._down_until = 0.0
        self.queries = 0
        """Queries so far."""

    def public_key(self, client: str, address: str) -> bytes | None:
        """The compressed public key of an account, None if the chain has no single secp256k1 key of it;
        `client` is the network address that causes the query. LookupRefusedError.
        """
        caches = self._caches[self._is_tenant(address)]
        return self._find(caches.keys, caches.rate, client, address, lambda: self._query_key(address))

    def certificate(self, client: str, owner: str, serial: int) -> PublishedCertificate | None:
        """The certificate of an owner with a serial number in state valid, None if there is none."""
        caches = self._caches[self._is_tenant(owner)]
        name = f"{owner}/{serial}"
        return self._find(
            caches.certificates, caches.rate, client, name, lambda: self._query_certificate(owner, serial)
        )

    def close(self) -> None:
        """Close the connection."""
        self._node.close()

    def _find(
        self,
        cache: LookupCache[Value],
        rate: RateLimiter,
        client: str,
        name: str,
        query: Callable[[], Value | None],
    ) -> Value | None:
        while True:
            with self._lock:
                if (entry := cache.get(name, self._now())) is not None:
                    return entry.value
                other = self._under_way.get(name)
                if other is None:
                    self._admit(rate, client)
                    done = self._under_way[name] = threading.Event()
            if other is not None:
                other.wait()
                continue
            try:
                value = query()
                with self._lock:
                    cache.put(name, value, self._now())
                return value
            except NodeError as error:
                self._down_until = self._now() + RETRY_SECONDS
                raise _is_down() from error
            finally:
                with self._lock:
                    del self._under_way[name]
                done.set()

    def _admit(self, rate: RateLimiter, client: str) -> None:
        """Count a query; LookupRefusedError if it is too many, or while the chain is down."""
        now = self._now()
        if now < self._down_until:
            raise _is_down()
        wait = self._clients.take(client, now) or rate.take("", now)
        if wait:
            message = "too many requests of accounts that were not seen before; retry later"
            raise LookupRefusedError(429, message, int(wait) + 1)
        self.queries += 1

    def _query_key(self, address: str) -> bytes | None:
        request = cosmos_auth_pb2.QueryAccountRequest(address=address)
        found = self._call(ACCOUNT, request)
        account, key = cosmos_auth_pb2.BaseAccount(), cosmos_secp256k1_pb2.PubKey()
        if found is None or not found.account.Unpack(account) or not account.pub_key.Unpack(key):
            return None
        return key.key

    def _query_certificate(self, owner: str, serial: int) -> PublishedCertificate | None:
        wanted = cert_v1_pb2.CertificateFilter(owner=owner, serial=str(serial), state="valid")
        request = cert_v1_pb2.QueryCertificatesRequest(filter=wanted)
        found = self._call(CERTIFICATES, request)
        try:
            (each,) = list(found.certificates) if found else []
            certificate = x509.load_pem_x509_certificate(each.certificate.cert)
            key = pem_content(each.certificate.pubkey.decode("ascii"))
        except (ValueError, x509.InvalidVersion):
            return None
        if each.certificate.state != cert_v1_pb2.State.valid or each.serial != str(serial):
            return None
        return PublishedCertificate(certificate.public_bytes(Encoding.DER), key)

    def _call(self, method: Unary[Request, Response], request: Request) -> Response | None:
        """One response; None for what the node refuses, as anyone can cause that."""
        try:
            return Queries(self._node).call(method, request)
        except NodeRefusedError:
            return None


def _is_down() -> LookupRefusedError:
    message = "the chain cannot be reached to verify your credentials; retry later"
    return LookupRefusedError(503, message, RETRY_SECONDS)
