"""Verifies recorded tokens, and compares verdict, answer and permissions with the reference's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.chain.keys import key_from_words
from reconciler.gateway.permissions import ALL_SCOPES, Permissions, Scope
from reconciler.gateway.tokens import TokenRefusedError, TokenVerifier
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from tests.chain.test_keys import WORDS
from tests.replay.manifests import Vector, vectors_of
from tests.replay.replaying import Difference, Report

KEYS = {name: key_from_words(words) for name, words in WORDS.items()}
STRICTER = {
    "not JSON with unique keys": "a key that occurs twice",
    "a claim has another type": "a time in quotes or with a fraction",
    "canonical base64url": "another spelling of the same bytes",
    "is not base64url": "line breaks in base64",
    "is no account with a public key": "an address in upper case, or a claim's name in another case",
}
"""Causes for which a token is refused here that the reference accepts; no known client makes such tokens."""


def replay_tokens(path: Path) -> Report:
    """Verify each token of a recording at its time, without leeway, for any length of life."""
    report = Report(path.stem)
    for number, vector in enumerate(vectors_of(path)):
        report.compared += 1
        for line in _lines(vector, report.notes):
            report.differences.append(Difference(report.file, number, f"{vector['name']}: {line}"))
    return report


def verifier() -> TokenVerifier:
    """A verifier as strict with times as the reference; `third` has no public key on the chain."""
    published = {key.address: key.public for name, key in KEYS.items() if name != "third"}
    return TokenVerifier(published.get, leeway_seconds=0, life_max_seconds=10**12)


def _lines(vector: Vector, notes: list[str]) -> Iterator[str]:
    try:
        permissions = verifier().verify(vector["token"], vector["clock"])
    except TokenRefusedError as error:
        answer = {"status": error.status, "message": error.message}
        if vector.get("peer_answer") == answer:
            return
        reasons = [reason for cause, reason in STRICTER.items() if cause in error.cause]
        if reasons:
            notes.append(f"{vector['name']}: refused here: {reasons[0]}")
        else:
            yield f"refused here: {error}, recorded {vector.get('peer_answer', 'accepted')}"
        return
    if not vector["valid"]:
        yield f"accepted here, recorded {vector['error']}"
    elif (allowed := _allowed(permissions)) != _recorded(vector["allows"]):
        yield f"allows {allowed}, recorded {vector['allows']}"


def _allowed(permissions: Permissions) -> Mapping[str, frozenset[Scope]]:
    """Actions permitted on the recorded leases and deployments, those without any left out."""
    found: dict[str, frozenset[Scope]] = {}
    for owner, dseq, gseq, oseq, provider in (
        ("alice", 100, 1, 1, "provider"), ("alice", 100, 1, 2, "provider"), ("alice", 100, 2, 1, "provider"),
        ("alice", 200, 1, 1, "provider"), ("alice", 100, 1, 1, "rival"), ("bob", 100, 1, 1, "provider"),
    ):  # fmt: skip
        order = OrderId(KEYS[owner].address, dseq, gseq, oseq)
        lease = LeaseId(order, KEYS[provider].address)
        found[f"{owner}/{dseq}/{gseq}/{oseq}/{provider}"] = permissions.on_lease(lease)
    for owner, dseq, provider in (
        ("alice", 100, "provider"), ("alice", 200, "provider"),
        ("alice", 100, "rival"), ("bob", 100, "provider"),
    ):  # fmt: skip
        deployment = DeploymentId(KEYS[owner].address, dseq)
        found[f"{owner}/{dseq}@{provider}"] = permissions.on_deployment(deployment, KEYS[provider].address)
    return {name: scopes for name, scopes in found.items() if scopes}


def _recorded(allows: Mapping[str, Any]) -> Mapping[str, frozenset[Scope]]:
    return {
        name: ALL_SCOPES if answer["scopes"] == "all" else frozenset(map(Scope, answer["scopes"]))
        for name, answer in {**allows["lease"], **allows["deployment"]}.items()
        if answer["at_all"]
    }
