"""Keys and certificates from a node: what is cached, for how long, and how many queries anyone can cause."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from google.protobuf.message import Message

from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto.cert_v1_pb2 import QueryCertificatesResponse
from reconciler.chain.proto.cosmos_auth_pb2 import BaseAccount, QueryAccountResponse
from reconciler.chain.proto.cosmos_multisig_keys_pb2 import LegacyAminoPubKey
from reconciler.chain.proto.cosmos_secp256k1_pb2 import PubKey
from reconciler.gateway import chain_lookup
from reconciler.gateway.chain_lookup import ABSENT_SECONDS, KEY_SECONDS, ChainLookup, LookupRefusedError
from reconciler.gateway.client_certificates import pem_content
from tests.replay.tokens import KEYS

ALICE, BOB, CAROL = (KEYS[name].address for name in ("alice", "bob", "third"))
CERTS = Path(__file__).parent.parent / "vectors" / "tenant" / "certs"
CERTIFICATE = (CERTS / "alice.cert.pem").read_bytes()
SERIAL = x509.load_pem_x509_certificate(CERTIFICATE).serial_number


def version_6(pem: bytes) -> bytes:
    """The certificate with a version that X.509 does not have."""
    body = base64.encodebytes(
        pem_content(pem.decode()).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    )
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


class FakeNode:
    """Answers each method with a message or an error; counts the queries."""

    target = "node"

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self.keys: dict[str, Message] = {ALICE: PubKey(key=KEYS["alice"].public), BOB: LegacyAminoPubKey()}
        self.certificates: list[dict[str, Any]] = []

    def call(self, method: Any, request: Any, _height: int = 0) -> Any:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        if "Certificates" in method.path:
            return QueryCertificatesResponse(certificates=self.certificates)
        answer = QueryAccountResponse()
        if request.address not in self.keys:
            raise NodeRefusedError("account", "NOT_FOUND", "not found")
        account = BaseAccount()
        account.pub_key.Pack(self.keys[request.address])
        answer.account.Pack(account)
        return answer

    def close(self) -> None:
        """Nothing to close."""


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lookup(node: FakeNode, clock: Clock) -> ChainLookup:
    return ChainLookup(node, {ALICE}.__contains__, clock)  # type: ignore[arg-type]  # a fake


@pytest.mark.parametrize(
    ("address", "key", "seconds"),
    [
        (ALICE, KEYS["alice"].public, KEY_SECONDS),
        (BOB, None, ABSENT_SECONDS),  # a multisig account
        (CAROL, None, ABSENT_SECONDS),
    ],
)
def test_a_key_is_looked_up_once_in_its_life(
    node: FakeNode, clock: Clock, lookup: ChainLookup, address: str, key: bytes | None, seconds: float
) -> None:
    assert [lookup.public_key("192.0.2.1", address) for _ in range(3)] == [key] * 3
    assert len(node.asked) == 1
    clock.seconds += seconds
    lookup.public_key("192.0.2.1", address)
    assert len(node.asked) == 2


@pytest.mark.parametrize("fault", ["", "revoked", "other serial", "no PEM", "version 6"])
def test_a_certificate_is_found_in_state_valid(node: FakeNode, lookup: ChainLookup, fault: str) -> None:
    node.certificates = [
        {
            "serial": str(SERIAL + (fault == "other serial")),
            "certificate": {
                "state": "revoked" if fault == "revoked" else "valid",
                "cert": {"no PEM": b"x", "version 6": version_6(CERTIFICATE)}.get(fault, CERTIFICATE),
                "pubkey": (CERTS / "alice.pub.pem").read_bytes(),
            },
        }
    ]
    assert (lookup.certificate("192.0.2.1", ALICE, SERIAL) is None) == bool(fault)
    assert node.asked[0].filter.state == "valid"


def test_strangers_cannot_cause_many_queries_nor_delay_tenants(node: FakeNode, lookup: ChainLookup) -> None:
    for number in range(int(chain_lookup.OTHERS_RATE.burst)):
        lookup.public_key(f"192.0.2.{number}", f"ve1{number}")
    for number in range(500):
        with pytest.raises(LookupRefusedError) as caught:
            lookup.public_key(f"203.0.113.{number}", f"ve1x{number}")
        assert (caught.value.status, caught.value.retry_seconds) == (429, 1)
    assert len(node.asked) == chain_lookup.OTHERS_RATE.burst
    assert lookup.public_key("198.51.100.1", ALICE) == KEYS["alice"].public


def test_one_address_is_limited_on_its_own(node: FakeNode, lookup: ChainLookup) -> None:
    for number in range(int(chain_lookup.CLIENT_RATE.burst)):
        lookup.public_key("192.0.2.1", f"ve1{number}")
    with pytest.raises(LookupRefusedError):
        lookup.public_key("192.0.2.1", CAROL)
    assert lookup.public_key("192.0.2.2", CAROL) is None


def test_entries_are_bounded() -> None:
    cache = chain_lookup.LookupCache[bytes](60, entries_max=2)
    for name in ("a", "b", "a", "c"):
        if cache.get(name, 0) is None:
            cache.put(name, b"", 0)
    assert [cache.get(name, 0) is not None for name in "abc"] == [True, False, True]


def test_while_the_chain_is_down_nobody_waits_for_it(
    node: FakeNode, clock: Clock, lookup: ChainLookup
) -> None:
    node.error = NodeError("no answer")
    for _ in range(3):
        with pytest.raises(LookupRefusedError) as caught:
            lookup.public_key("192.0.2.1", ALICE)
        assert caught.value.status == 503
    assert len(node.asked) == 1
    node.error = None
    clock.seconds += chain_lookup.RETRY_SECONDS
    assert lookup.public_key("192.0.2.1", ALICE) is not None


def test_a_refused_query_does_not_count_as_a_chain_that_is_down(node: FakeNode, lookup: ChainLookup) -> None:
    node.error = NodeRefusedError("certificates", "INTERNAL", "runtime error")
    assert lookup.certificate("192.0.2.1", BOB, -1) is None
    node.error = None
    assert lookup.public_key("192.0.2.1", ALICE) is not None


def test_equal_look_ups_share_one_query(node: FakeNode, lookup: ChainLookup) -> None:
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(lambda _: lookup.public_key("192.0.2.1", ALICE), range(64)))
    assert set(found) == {KEYS["alice"].public}
    assert len(node.asked) == 1
