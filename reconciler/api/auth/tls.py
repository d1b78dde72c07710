"""What is needed where others reach us: TLS, and who may ask."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble
from reconciler.values.times import utc_text

SOON_SECONDS = 14 * 86_400
RENEW = "Renew it: it is read again without a restart"


class RemoteAccessError(Exception):
    """We cannot be reached by others safely; says what is missing."""


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """The host file's words: a certificate with its key, whose certificates are trusted, who has tokens."""

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    tokens: Path | None = None


def demand(what: str, setting: str, at: ListenAddress, outside: RemoteAccess) -> None:
    """OutsideError where others reach an address, and either TLS or a proof of who asks is missing."""
    if at.is_loopback:
        return
    reached = f"the {what} would be reached by others at {at}"
    instead = f"or set {setting} in the host file to 127.0.0.1:{at.port}"
    if outside.certificate is None or outside.key is None:
        raise RemoteAccessError(
            f"{reached} without TLS; name listen.tls_certificate and listen.tls_key in the host file, "
            f"{instead}"
        )
    if outside.tokens is None and outside.client_ca is None:
        raise RemoteAccessError(
            f"{reached} without anyone proving who they are; name listen.tokens or listen.client_ca in the "
            f"host file, {instead}"
        )


class Certificate:
    """A server's certificate; `refresh` takes a renewed one for connections to come."""

    def __init__(self, outside: RemoteAccess) -> None:
        assert outside.certificate is not None, "demand() was not asked"
        assert outside.key is not None, "demand() was not asked"
        self._files = (outside.certificate, outside.key)
        self._marks = self._look()
        self.tls = _tls(outside.client_ca)
        self._load()

    @property
    def expires_at(self) -> int:
        """Unix seconds."""
        return self._expires_at

    def trouble(self, now: int) -> Trouble | None:
        """That it has expired, or soon will. The daemon goes on: who looks at it can wait, money cannot."""
        when = utc_text(self._expires_at, "%Y-%m-%d %H:%M UTC")
        if self._expires_at <= now:
            told = f"the certificate {self} expired at {when}: nobody outside can ask"
            return Trouble("CertificateExpired", told, RENEW)
        if self._expires_at <= now + SOON_SECONDS:
            return Trouble("CertificateExpires", f"the certificate {self} expires at {when}", RENEW)
        return None

    def __str__(self) -> str:
        return str(self._files[0])

    def refresh(self) -> bool:
        """Whether there was a new one; OutsideError where it is not good: the old one stays."""
        marks = self._look()
        if marks == self._marks:
            return False
        self._marks = marks
        self._load()
        return True

    def _load(self) -> None:
        certificate, key = self._files
        try:
            expires = x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
            self.tls.load_cert_chain(certificate, key, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise RemoteAccessError(
                f"the certificate {certificate} cannot be used with the key {key}: "
                f"{getattr(error, 'strerror', None) or error}; name a PEM chain and its unsealed key in the "
                f"host file"
            ) from None
        self._expires_at = int(expires.timestamp())

    def _look(self) -> tuple[object, ...]:
        try:
            return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (f.stat() for f in self._files))
        except OSError as error:
            raise RemoteAccessError(
                f"{error.filename} cannot be read: {error.strerror}; write it for the daemon's user, or "
                f"change its name in the host file"
            ) from None


def _tls(client_ca: Path | None) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.set_alpn_protocols(["http/1.1"])
    if client_ca is None:
        return tls
    try:
        tls.load_verify_locations(client_ca)
    except (OSError, ssl.SSLError) as error:
        raise RemoteAccessError(
            f"the client CA {client_ca} cannot be read: {error.strerror}; name a PEM file of certificates as "
            f"listen.client_ca in the host file"
        ) from None
    # Optional: who shows none may still show a token; who shows a bad one is refused in the handshake.
    tls.verify_mode = ssl.CERT_OPTIONAL
    return tls


def _no_passphrase() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("the key is sealed with a passphrase")
