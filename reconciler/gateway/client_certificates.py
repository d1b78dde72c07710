"""Client certificates that their owners published on the chain (tenant 2.2)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from reconciler.chain.keys import address_bytes
from reconciler.gateway.permissions import Permissions, full_access

HANDLED_EXTENSIONS = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
"""Extensions that may be critical; a certificate with any other critical one is refused."""


@dataclass(frozen=True, slots=True)
class PublishedCertificate:
    """A certificate and its public key in DER, as the chain holds them in state valid."""

    certificate: bytes
    public_key: bytes


def pem_content(text: str) -> bytes:
    """The DER in one PEM block of any label, as the chain holds keys under `EC PUBLIC KEY`; ValueError if the
    text is no such block.
    """
    begin, *body, end = text.strip().splitlines() or [""]
    if not (begin.startswith("-----BEGIN ") and end.startswith("-----END ")):
        raise ValueError("it is not one PEM block")
    return base64.b64decode("".join(body), validate=True)


FindPublished = Callable[[str, int], PublishedCertificate | None]
"""The certificate of an owner and a serial number in state valid; None if there is none."""


class CertificateRefusedError(Exception):
    """A client certificate that permits nothing, with the reason."""


@dataclass(frozen=True, slots=True)
class CertificateVerifier:
    """Verifies what a client presents in the TLS handshake, by certificates of the chain."""

    find_published: FindPublished
    usage: ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH

    def verify(self, presented: Sequence[x509.Certificate], now: int) -> Permissions:
        """Full access for the certificate's owner at a time (Unix seconds); CertificateRefusedError if it is
        not the published one, not valid then, revoked, or for another usage.
        """
        if len(presented) != 1:
            raise CertificateRefusedError(
                f"{len(presented)} certificates were presented; present exactly one"
            )
        (certificate,) = presented
        owner = _owner(certificate)
        published = self.find_published(owner, certificate.serial_number)
        if published is None:
            raise CertificateRefusedError(
                f"no valid certificate of {owner} with serial {certificate.serial_number} is on the chain; "
                "publish it, or use another one"
            )
        if not _is_signed_by(certificate, published.public_key):
            raise CertificateRefusedError("it is not signed by the published key with ECDSA and SHA-256")
        if certificate.public_bytes(Encoding.DER) != published.certificate:
            raise CertificateRefusedError("it differs from the published one of the same serial number")
        if (
            not certificate.not_valid_before_utc
            <= datetime.fromtimestamp(now, UTC)
            <= certificate.not_valid_after_utc
        ):
            first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            raise CertificateRefusedError(f"it is valid from {first} to {last} only")
        _check_extensions(certificate, self.usage)
        return replace(full_access(owner), expires_at=certificate.not_valid_after_utc.timestamp())


def _owner(certificate: x509.Certificate) -> str:
    """The address in subject and issuer."""
    try:
        (subject,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        (issuer,) = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        address_bytes(str(subject.value))
    except ValueError as error:
        raise CertificateRefusedError("its subject is not the address of an account") from error
    if issuer.value != subject.value:
        raise CertificateRefusedError("its issuer is not its subject")
    return str(subject.value)


def _is_signed_by(certificate: x509.Certificate, public_key: bytes) -> bool:
    try:
        key = load_der_public_key(public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        if not isinstance(certificate.signature_hash_algorithm, SHA256):
            return False
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _check_extensions(certificate: x509.Certificate, usage: ObjectIdentifier) -> None:
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateRefusedError("its extensions cannot be decoded") from error
    if any(each.critical and each.oid not in HANDLED_EXTENSIONS for each in extensions):
        raise CertificateRefusedError("it has a critical extension that is not known here")
    try:
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if usage not in usages and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in usages:
        raise CertificateRefusedError("its extended key usage does not include clientAuth")
