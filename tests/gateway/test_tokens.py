"""Tokens at their limits, beyond what is recorded (`tests/replay/tokens.py`)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.gateway.permissions import Scope
from reconciler.gateway.tokens import (
    LEEWAY_SECONDS,
    LIFE_MAX_SECONDS,
    TOKEN_MAX_CHARACTERS,
    TokenRefusedError,
    TokenVerifier,
    sign_document,
)
from reconciler.values.ids import LeaseId, OrderId
from tests.replay.tokens import KEYS

ALICE, PROVIDER = KEYS["alice"], KEYS["provider"].address
NOW = 1_796_025_600
LEASE = LeaseId(OrderId(ALICE.address, 100, 1, 1), PROVIDER)
SIGNING = json.loads((Path(__file__).parent.parent / "vectors/tenant/jwt-signing.json").read_text())


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(**claims: Any) -> str:
    payload = {"iss": ALICE.address, "iat": NOW, "nbf": NOW, "exp": NOW + 900, "version": "v1"}
    text = f"{encoded({'alg': 'ES256K'})}.{encoded({**payload, 'leases': {'access': 'full'}, **claims})}"
    return f"{text}.{base64.urlsafe_b64encode(ALICE.sign(text.encode())).rstrip(b'=').decode()}"


def verifier() -> TokenVerifier:
    return TokenVerifier({ALICE.address: ALICE.public}.get)


def test_a_wallet_signs_the_recorded_document() -> None:
    signed = SIGNING["es256kadr36"]
    assert sign_document(signed["signed_text"].encode(), ALICE.address).decode() == signed["sign_document"]


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"exp": NOW - LEEWAY_SECONDS}, "it expired at"),
        ({"nbf": NOW + LEEWAY_SECONDS + 1}, "compare the clocks"),
        ({"exp": NOW + LIFE_MAX_SECONDS + LEEWAY_SECONDS + 1}, "a shorter life"),
        ({"exp": True}, "another type"),
        ({"padding": "x" * TOKEN_MAX_CHARACTERS}, "too long"),
        ({"leases": {"access": "scoped", "scope": ["logs", "logs"]}}, "occurs twice"),
    ],
)
def test_a_token_is_refused_with_its_cause(claims: dict[str, Any], cause: str) -> None:
    with pytest.raises(TokenRefusedError, match=cause):
        verifier().verify(token(**claims), NOW)


@pytest.mark.parametrize("claims", [{"exp": NOW - LEEWAY_SECONDS + 1}, {"nbf": NOW + LEEWAY_SECONDS}])
def test_clocks_may_differ_a_little(claims: dict[str, Any]) -> None:
    assert Scope.LOGS in verifier().verify(token(**claims), NOW).on_lease(LEASE)


def test_deeply_nested_json_is_refused() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 9_000).rstrip(b"=").decode()
    with pytest.raises(TokenRefusedError, match="not JSON"):
        verifier().verify(f"{encoded({'alg': 'ES256K'})}.{nested}.AAAA", NOW)


def test_services_of_a_grant_are_compared() -> None:
    deployment = {"dseq": 100, "scope": ["logs"], "services": ["web"]}
    permission = {"provider": PROVIDER, "access": "granular", "deployments": [deployment]}
    permissions = verifier().verify(token(leases={"access": "granular", "permissions": [permission]}), NOW)
    assert permissions.on_service(LEASE, "web") == {Scope.LOGS}
    assert not permissions.on_service(LEASE, "db")
