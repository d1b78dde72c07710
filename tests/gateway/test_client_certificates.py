"""Client certificates whose extensions cannot be read, beyond what is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from reconciler.gateway.client_certificates import (
    CertificateRefusedError,
    CertificateVerifier,
    PublishedCertificate,
)
from reconciler.gateway.refusals import GatewayRefusal
from reconciler.gateway.requests import _certificates
from reconciler.gateway.tls import TlsConnection
from tests.replay.tokens import KEYS

NOW = 1_796_025_600

KEY = ec.generate_private_key(ec.SECP256R1())
ALTERNATIVE_NAME, KEY_USAGE, OTHER = "2.5.29.17", "2.5.29.15", "2.5.29.9"
X400_ADDRESS = b"\x30\x02\xa3\x00"


def certificate(*extensions: tuple[str, bytes]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, KEYS["alice"].address)])
    now = datetime.fromtimestamp(NOW, UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now, now + timedelta(days=1))
    for number, value in extensions:
        extension = x509.UnrecognizedExtension(ObjectIdentifier(number), value)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, SHA256())


def with_repeated_extension() -> x509.Certificate:
    """Two extensions of one identifier, which the builder refuses to make; signed anew."""
    made = certificate((KEY_USAGE, b"\x03\x02\x07\x80"), (OTHER, b"\x03\x02\x07\x80"))
    content = made.tbs_certificate_bytes.replace(b"\x55\x1d\x09", b"\x55\x1d\x0f")
    signature = KEY.sign(content, ec.ECDSA(SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    body = content + algorithm + b"\x03" + bytes([len(signature) + 1, 0]) + signature
    return x509.load_der_x509_certificate(b"\x30\x82" + len(body).to_bytes(2, "big") + body)


def refusal(presented: x509.Certificate) -> str:
    """Why the certificate is refused where it is published; "" if it is not."""
    key = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    published = PublishedCertificate(presented.public_bytes(Encoding.DER), key)
    try:
        CertificateVerifier(lambda *_: published).verify([presented], NOW)
    except CertificateRefusedError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "presented",
    [certificate((ALTERNATIVE_NAME, X400_ADDRESS)), with_repeated_extension(),
     certificate((ALTERNATIVE_NAME, b"\x30\x05"))],
    ids=["x400Address", "repeated", "cut"],
)  # fmt: skip
def test_extensions_that_cannot_be_decoded_are_refused(presented: x509.Certificate) -> None:
    assert refusal(presented) == "its extensions cannot be decoded"


def test_a_certificate_of_an_unknown_version_is_refused() -> None:
    class Connection(TlsConnection):
        def __init__(self) -> None:
            """Without a socket."""

        def presented(self) -> Sequence[x509.Certificate]:
            raise x509.InvalidVersion("6 is not a valid X509 version", 6)

    transport = Mock(get_extra_info=lambda _: Connection())
    with pytest.raises(GatewayRefusal, match="cannot be decoded"):
        _certificates(Mock(transport=transport))


def test_a_certificate_without_extensions_is_accepted() -> None:
    assert refusal(certificate()) == ""
