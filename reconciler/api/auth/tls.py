"""TLS and authentication settings of remote addresses."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from reconciler.runtime.certificate_expiry import expiry_trouble
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble


class RemoteAccessError(Exception):
    """A remote address is not safe to serve; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """The host file's settings: certificate and key, the CA of client certificates, the token file."""

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    tokens: Path | None = None


def require_safe(what: str, setting: str, at: ListenAddress, access: RemoteAccess) -> None:
    """RemoteAccessError if an address is remote and TLS or authentication is missing."""
    if at.is_loopback:
        return
    exposed = f"the {what} would be reachable at {at}"
    instead = f"or set {setting} in the host file to 127.0.0.1:{at.port}"
    if access.certificate is None or access.key is None:
        raise RemoteAccessError(
            f"{exposed} without TLS; set listen.tls_certificate and listen.tls_key in the host file, "
            f"{instead}"
        )
    if access.tokens is None and access.client_ca is None:
        raise RemoteAccessError(
            f"{exposed} without authentication; set listen.tokens or listen.client_ca in the "
            f"host file, {instead}"
        )


class Certificate:
    """A server's certificate; `refresh` loads a renewed one for new connections."""

    def __init__(self, access: RemoteAccess) -> None:
        assert access.certificate is not None, "require_safe() was not called"
        assert access.key is not None, "require_safe() was not called"
        self._files = (access.certificate, access.key)
        self._stats = self._stat()
        self.tls = _tls(access.client_ca)
        self._load()

    @property
    def expires_at(self) -> int:
        """Unix seconds."""
        return self._expires_at

    def trouble(self, now: int) -> Trouble | None:
        """An expired or soon expiring certificate; the daemon keeps running."""
        return expiry_trouble(str(self), "remote clients", self._expires_at, now)

    def __str__(self) -> str:
        return str(self._files[0])

    def refresh(self) -> bool:
        """True if a changed certificate was loaded; RemoteAccessError if it is invalid."""
        stats = self._stat()
        if stats == self._stats:
            return False
        self._stats = stats
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
                f"{getattr(error, 'strerror', None) or error}; set a PEM chain and its key without "
                f"passphrase in the host file"
            ) from None
        self._expires_at = int(expires.timestamp())

    def _stat(self) -> tuple[object, ...]:
        try:
            return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (f.stat() for f in self._files))
        except OSError as error:
            raise RemoteAccessError(
                f"{error.filename} cannot be read: {error.strerror}; make it readable for the daemon's "
                f"user, or change its path in the host file"
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
            f"the client CA {client_ca} cannot be read: {error.strerror}; set a PEM file of certificates as "
            f"listen.client_ca in the host file"
        ) from None
    # Optional: a client without one may still have a token; an invalid one fails the handshake.
    tls.verify_mode = ssl.CERT_OPTIONAL
    return tls


def _no_passphrase() -> str:
    """Raise instead of prompting on the terminal."""
    raise ValueError("the key has a passphrase")
