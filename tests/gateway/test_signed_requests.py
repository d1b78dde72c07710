"""Signed requests: what the recordings do not show."""

from __future__ import annotations

import base64

import pytest

from reconciler.gateway import signed_requests
from reconciler.gateway.signed_requests import (
    AGE_MAX_MS,
    Nonces,
    RequestVerifier,
    SignatureRefusedError,
    SignedRequest,
    signed_data,
)
from reconciler.gateway.tokens import sign_document
from tests.replay.tokens import KEYS

CHAIN, NOW = "virtengine-localnet-1", 1_796_025_600_000
ALICE = KEYS["alice"]


def signed(nonce: str, body: bytes = b"", at: int = NOW) -> SignedRequest:
    data = signed_data(SignedRequest("GET", "/api/v1/deployments", body), at, nonce)
    signature = ALICE.sign(sign_document(data, ALICE.address, CHAIN))
    headers = {
        "x-ve-address": ALICE.address,
        "x-ve-timestamp": str(at),
        "x-ve-nonce": nonce,
        "x-ve-signature": base64.b64encode(signature).decode(),
        "x-ve-pubkey": base64.b64encode(ALICE.public).decode(),
    }
    return SignedRequest("GET", "/api/v1/deployments", body, headers)


def test_a_full_memory_refuses_instead_of_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_requests, "NONCES_OF_ONE_MAX", 2)
    verifier = RequestVerifier(CHAIN, {ALICE.address}.__contains__)
    for nonce in ("a", "b"):
        verifier.verify(signed(nonce), NOW)
    with pytest.raises(SignatureRefusedError, match="too many"):
        verifier.verify(signed("c"), NOW)
    with pytest.raises(SignatureRefusedError, match="already used"):
        verifier.verify(signed("a"), NOW)
    later = NOW + AGE_MAX_MS + 1
    assert verifier.verify(signed("c", at=later), later) == ALICE.address


def test_strangers_fill_their_own_memory_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_requests, "NONCES_MAX", 1)
    verifier = RequestVerifier(CHAIN, {ALICE.address}.__contains__)
    verifier.nonces_of_others.use("ve1stranger", "a", NOW + AGE_MAX_MS, NOW)
    assert verifier.verify(signed("a"), NOW) == ALICE.address


def test_a_nonce_stays_used_when_its_address_becomes_a_tenant() -> None:
    tenants: set[str] = set()
    verifier = RequestVerifier(CHAIN, tenants.__contains__)
    verifier.verify(signed("a"), NOW)
    tenants.add(ALICE.address)
    with pytest.raises(SignatureRefusedError, match="already used"):
        verifier.verify(signed("a"), NOW)


def test_a_nonce_is_remembered_behind_one_with_a_time_ahead() -> None:
    nonces = Nonces()
    nonces.use("ve1", "ahead", NOW + 60_000, NOW)
    nonces.use("ve1", "now", NOW, NOW)
    nonces.use("ve1", "later", NOW + 70_000, NOW + 1)
    assert nonces.is_used("ve1", "ahead", NOW + 60_000)
    assert not nonces.is_used("ve1", "now", NOW + 1)


def test_a_deeply_nested_body_is_refused() -> None:
    nested = b"[" * 990 + b"]" * 990
    request = SignedRequest("GET", "/api/v1/deployments", nested, signed("a").headers)
    with pytest.raises(SignatureRefusedError, match="nested"):
        RequestVerifier(CHAIN, {ALICE.address}.__contains__).verify(request, NOW)
