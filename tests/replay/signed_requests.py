"""Verifies recorded signed requests in order, and compares verdict and text with the reference's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.gateway.signed_requests import RequestVerifier, SignatureRefusedError, SignedRequest
from tests.replay.manifests import Vector, vectors_of
from tests.replay.replaying import Difference, Report

NOT_SIGNED = "(no wallet authentication in the request)"
STRICTER = {"invalid nonce": "a nonce with quotes or control characters, which known clients never send"}
"""Texts with which requests are refused here that the reference accepts."""


def replay_signed_requests(path: Path) -> Report:
    """Verify each request of a recording at its time."""
    report = Report(path.stem)
    for number, vector in enumerate(vectors_of(path)):
        verifier = RequestVerifier(vector["chain_id"], lambda _: False)
        for recorded in vector["requests"]:
            report.compared += 1
            for line in _lines(verifier, recorded, vector, report.notes):
                report.differences.append(Difference(report.file, number, f"{vector['name']}: {line}"))
    return report


def request_of(recorded: Mapping[str, Any]) -> SignedRequest:
    """The request of a recording."""
    url = urlsplit(recorded.get("url") or recorded["websocket_url"])
    return SignedRequest(
        recorded.get("method", "GET"),
        url.path,
        (recorded.get("body") or "").encode(),
        {name.lower(): value for name, value in recorded.get("headers", {}).items()},
        dict(reversed(parse_qsl(url.query, keep_blank_values=True))),
    )


def _lines(
    verifier: RequestVerifier, recorded: Mapping[str, Any], vector: Vector, notes: list[str]
) -> Iterator[str]:
    request = request_of(recorded)
    error = recorded.get("error", "")
    if not request.is_signed:
        if error != NOT_SIGNED:
            yield f"not signed, recorded {error}"
        return
    try:
        address = verifier.verify(request, recorded["clock_ms"])
    except SignatureRefusedError as refusal:
        if recorded["valid"] and any(str(refusal).startswith(text) for text in STRICTER):
            notes.append(f"{vector['name']}: refused here: {refusal}")
        elif str(refusal) != error and not (error.startswith("panic") and not recorded["valid"]):
            yield f"refused here: {refusal}, recorded {error or 'accepted'}"
        return
    if address != recorded.get("address"):
        yield f"accepted here for {address}, recorded {error}"
