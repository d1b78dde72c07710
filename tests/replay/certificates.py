"""Verifies recorded client certificates, and compares the verdict with the reference's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from reconciler.gateway.client_certificates import (
    CertificateRefusedError,
    CertificateVerifier,
    PublishedCertificate,
    pem_content,
)
from tests.replay.manifests import Vector, vectors_of
from tests.replay.replaying import Difference, Report

USAGES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


def replay_certificates(path: Path) -> Report:
    """Verify each presented chain of a recording against the certificates that were on the chain."""
    report = Report(path.stem)
    for number, vector in enumerate(vectors_of(path)):
        report.compared += 1
        owner = _owner(vector)
        if owner != vector.get("owner", "") or bool(owner) != vector["valid"]:
            recorded = vector.get("error", vector.get("owner"))
            text = f"{vector['name']}: owner {owner or None} here, recorded {recorded}"
            report.differences.append(Difference(report.file, number, text))
    return report


def _owner(vector: Vector) -> str:
    """The owner of a certificate that is accepted; empty for one that is refused."""
    published = _published(vector["on_chain"])
    verifier = CertificateVerifier(
        lambda owner, serial: published.get((owner, serial)), USAGES[vector["usage"]]
    )
    presented = [x509.load_pem_x509_certificate(text.encode()) for text in vector["presented"]]
    try:
        return verifier.verify(presented, vector["clock"]).owner
    except CertificateRefusedError:
        return ""


def _published(texts: list[str]) -> Mapping[tuple[str, int], PublishedCertificate]:
    """Certificates and keys, which follow each other in the recording."""
    found = {}
    for certificate_text, key_text in zip(texts[::2], texts[1::2], strict=True):
        certificate = x509.load_pem_x509_certificate(certificate_text.encode())
        owner = str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
        found[owner, certificate.serial_number] = PublishedCertificate(
            certificate.public_bytes(Encoding.DER), pem_content(key_text)
        )
    return found
