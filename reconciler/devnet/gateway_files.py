"""SIMULATOR: the certificate and the age identity of a devnet's provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from reconciler.devnet.accounts import genesis
from reconciler.devnet.home import Home
from reconciler.runtime.sealing import Identities, new_identity

HOSTS = ("localhost", *(urlsplit(each.host_uri).hostname or "" for each in genesis().providers))
"""Where the demo reaches the gateway, and what the providers' records name."""

DAYS = 3_650


def create_gateway_files(home: Home) -> None:
    """Make the missing files."""
    if not home.certificate.exists():
        _create_certificate(home)
    if not home.identity.exists():
        home.identity.touch(0o600)
        home.identity.write_text(f"{new_identity()[0]}\n", encoding="utf-8")


def recipient(home: Home) -> str:
    """The recipient of the newest identity."""
    return Identities(home.identity).recipients()[-1]


def _create_certificate(home: Home) -> None:
    """A self-signed certificate, as no authority signs one for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
    names = [
        *map(x509.DNSName, (*HOSTS, *(f"mtls.{host}" for host in HOSTS))),
        x509.IPAddress(ip_address("127.0.0.1")),
    ]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    private = home.certificate.with_suffix(".key")
    private.touch(0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    home.certificate.write_bytes(made.public_bytes(Encoding.PEM))
