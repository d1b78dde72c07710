"""JSON web tokens that an account's key signed: form, signature, times, claims (tenant 2.1)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.chain import keys
from reconciler.gateway.permissions import Permissions
from reconciler.gateway.token_claims import Claims, ClaimsError, permissions_of, read_claims
from reconciler.values.text import one_line

TOKEN_MAX_CHARACTERS = 16_384
LEEWAY_SECONDS = 30
"""Difference between a tenant's clock and this one that is tolerated; the reference tolerates none."""

LIFE_MAX_SECONDS = 24 * 3_600
"""A token that expires later is refused, as nothing else ends it; known clients sign for 15 min and 1 h."""

INVALID_CLAIMS = "JWT has invalid claims"

PublicKeyOf = Callable[[str], bytes | None]
"""The compressed public key of an account; None where the chain has no single secp256k1 key of it."""


class TokenRefusedError(Exception):
    """A token that permits nothing: HTTP status, message for the tenant, cause for the log."""

    def __init__(self, status: int, message: str, cause: str) -> None:
        super().__init__(cause)
        self.status, self.message, self.cause = status, message, cause


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies tokens at a time, by keys of the chain.

    Stricter than the reference where no known client is concerned: keys of JSON in their own case and once,
    integers without quotes and fractions, base64 in its one canonical spelling, addresses in lower case.
    """

    public_key_of: PublicKeyOf
    leeway_seconds: int = LEEWAY_SECONDS
    life_max_seconds: int = LIFE_MAX_SECONDS

    def verify(self, token: str, now: int) -> Permissions:
        """The permissions of a token at a time (Unix seconds); TokenRefusedError if it is not valid then."""
        if len(token) > TOKEN_MAX_CHARACTERS or token.count(".") != 2:
            raise _invalid("it is too long, or does not have three segments")
        signed_text, _, signature = token.rpartition(".")
        header, payload = (_bytes(segment) for segment in signed_text.split("."))
        algorithm, claims = _json_object(header).get("alg"), _read_claims(payload)
        data = _signed_bytes(algorithm, signed_text, claims.iss)
        key = self.public_key_of(claims.iss) if _is_address(claims.iss) else None
        if key is None:
            raise _invalid(f"{one_line(claims.iss)!r} is no account with a public key on the chain")
        if not keys.verify(key, data, _bytes(signature)):
            raise _invalid("the signature is not the issuer's")
        expires_at = self._checked_expiry(claims, now)
        try:
            return replace(permissions_of(claims), expires_at=expires_at)
        except ClaimsError as error:
            raise TokenRefusedError(400, INVALID_CLAIMS, str(error)) from error

    def _checked_expiry(self, claims: Claims, now: int) -> int:
        """From when on it is refused; TokenRefusedError if its times refuse it now."""
        if claims.exp is None or claims.nbf is None or claims.iat is None:
            fault = "exp, nbf or iat is missing"
        elif claims.exp <= now - self.leeway_seconds:
            fault = f"it expired at {claims.exp}; make a new one, and compare the clocks"
        elif claims.nbf > now + self.leeway_seconds:
            fault = f"it is valid from {claims.nbf} only; compare the clocks"
        elif claims.exp > now + self.life_max_seconds + self.leeway_seconds:
            fault = f"it expires more than {self.life_max_seconds} s from now; make one with a shorter life"
        else:
            return claims.exp + self.leeway_seconds
        raise TokenRefusedError(400, INVALID_CLAIMS, fault)


def _signed_bytes(algorithm: object, signed_text: str, issuer: str) -> bytes:
    """The bytes under the signature."""
    if algorithm == "ES256K":
        return signed_text.encode()
    if algorithm == "ES256KADR36":
        return sign_document(signed_text.encode(), issuer)
    raise _invalid("its alg is neither ES256K nor ES256KADR36")


def sign_document(data: bytes, signer: str, chain_id: str = "") -> bytes:
    """The document that a wallet signs in place of bare bytes: amino JSON, sorted and compact. Proper ADR-36
    documents have an empty chain id.
    """
    value = {"data": base64.b64encode(data).decode(), "signer": signer}
    document = {
        "account_number": "0",
        "chain_id": chain_id,
        "fee": {"amount": [], "gas": "0"},
        "memo": "",
        "msgs": [{"type": "sign/MsgSignData", "value": value}],
        "sequence": "0",
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _read_claims(payload: bytes) -> Claims:
    _json_object(payload)
    try:
        return read_claims(payload)
    except ClaimsError as error:
        raise _invalid(str(error)) from error


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise _invalid("its header or payload is not JSON with unique keys") from error
    if not isinstance(value, dict):
        raise _invalid("its header or payload is not a JSON object")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _bytes(segment: str) -> bytes:
    """Bytes of base64url without padding, in the one spelling that an encoder writes."""
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("a segment is not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise _invalid("a segment is not canonical base64url")
    return raw


def _is_address(issuer: str) -> bool:
    try:
        keys.address_bytes(issuer)
    except ValueError:
        return False
    return issuer.islower()


def _invalid(cause: str) -> TokenRefusedError:
    return TokenRefusedError(401, "JWT is invalid", cause)
