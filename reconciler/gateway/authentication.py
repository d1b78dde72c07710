"""Who sends a request: its token or its client certificate, verified by the chain (tenant 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509

from reconciler.gateway.chain_lookup import ChainLookup, LookupRefusedError
from reconciler.gateway.client_certificates import CertificateRefusedError, CertificateVerifier
from reconciler.gateway.permissions import Permissions
from reconciler.gateway.refusals import UNAUTHORIZED, GatewayRefusal
from reconciler.gateway.submissions import SubmissionMethod
from reconciler.gateway.tokens import TokenRefusedError, TokenVerifier

AMBIGUOUS = "auth: ambiguous authentication. may not use mTLS and JWT at the same time"
MALFORMED = "invalid authorization header"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request presents: its network address, its Authorization headers, its certificates."""

    client: str
    authorization: Sequence[str] = ()
    certificates: Sequence[x509.Certificate] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated account, with its permissions, and how it proved to be it."""

    permissions: Permissions
    method: SubmissionMethod

    @property
    def owner(self) -> str:
        """The account's address."""
        return self.permissions.owner

    def seconds_left(self, now: int) -> float:
        """How long its credentials stay valid from a time (Unix seconds) on."""
        return max(self.permissions.expires_at - now, 0)


@dataclass(frozen=True, slots=True)
class Authentication:
    """Verifies credentials; may query the chain, so it blocks. Thread-safe. `now` gives Unix seconds."""

    lookup: ChainLookup
    now: Callable[[], int]

    def caller(self, credentials: Credentials) -> Caller:
        """The account that sent the credentials; GatewayRefusal if there are none, or they are not valid."""
        if credentials.authorization and credentials.certificates:
            raise GatewayRefusal(400, AMBIGUOUS)
        try:
            if credentials.authorization:
                return self._by_token(credentials)
            if credentials.certificates:
                return self._by_certificate(credentials)
        except LookupRefusedError as error:
            raise GatewayRefusal(error.status, str(error), retry_seconds=error.retry_seconds) from error
        raise GatewayRefusal(401, UNAUTHORIZED, cause="there are no credentials")

    def _by_token(self, credentials: Credentials) -> Caller:
        words = credentials.authorization[0].split(" ")
        if len(credentials.authorization) != 1 or len(words) != 2 or words[0].lower() != "bearer":
            raise GatewayRefusal(400, MALFORMED)
        verifier = TokenVerifier(lambda address: self.lookup.public_key(credentials.client, address))
        try:
            return Caller(verifier.verify(words[1], self.now()), SubmissionMethod.JWT)
        except TokenRefusedError as error:
            raise GatewayRefusal(error.status, error.message, cause=error.cause) from error

    def _by_certificate(self, credentials: Credentials) -> Caller:
        verifier = CertificateVerifier(
            lambda owner, serial: self.lookup.certificate(credentials.client, owner, serial)
        )
        try:
            permissions = verifier.verify(credentials.certificates, self.now())
        except CertificateRefusedError as error:
            message = f"the client certificate is refused: {error}"
            raise GatewayRefusal(401, message) from error
        except ValueError as error:  # a field that the library decodes when it is read
            raise GatewayRefusal(401, "the client certificate cannot be decoded") from error
        return Caller(permissions, SubmissionMethod.CERTIFICATE)
