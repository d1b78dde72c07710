"""TLS 1.3 of the tenants' listener, with client certificates that no authority signed (tenant 2.2, 3.1).

Python's `ssl` refuses these certificates in the handshake. This module gives asyncio's TLS protocol a
context and a connection of pyOpenSSL in place of those of `ssl`, which accept any certificate, so that
`CertificateVerifier` compares it with the chain afterwards.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

from reconciler.runtime.certificate_expiry import expiry_trouble
from reconciler.values.observed import Trouble

CHAIN_MAX = 4
"""Presented certificates that are decoded; more than one are refused anyway."""

ALPN = b"http/1.1"
"""The only protocol: after an HTTP/2 request the tenants' client opens no websocket (tenant 3.1)."""

CLIENT_CERTIFICATE_PREFIX = b"mtls."
"""Server names under which a client certificate is requested; under others, browsers would ask their users
for one.
"""
_CHUNK_BYTES = 65_536

Result = TypeVar("Result")


class ServerCertificateError(Exception):
    """The listener's certificate cannot be used; the message says why and what to do."""


class TlsConnection:
    """The server's side of one connection, as asyncio uses `ssl.SSLObject`."""

    def __init__(self, context: SSL.Context, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._incoming, self._outgoing = incoming, outgoing

    def presented(self) -> Sequence[x509.Certificate]:
        """The client's certificates, its own first; ValueError or InvalidVersion if one cannot be decoded."""
        own = self._connection.get_peer_certificate(as_cryptography=True)
        if own is None:
            return ()
        others = self._connection.get_peer_cert_chain(as_cryptography=True) or ()
        return (own, *(each for each in others if each != own))[:CHAIN_MAX]

    def do_handshake(self) -> None:
        """One step of the handshake."""
        self._run(self._connection.do_handshake)

    def read(self, size: int, buffer: memoryview | None = None) -> bytes | int:
        """Decrypted bytes, or their number in the buffer."""
        data = self._run(lambda: self._connection.recv(size))
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: bytes | memoryview) -> int:
        """Encrypt; the number of bytes taken."""
        return self._run(lambda: self._connection.send(bytes(data[:_CHUNK_BYTES])))

    def unwrap(self) -> None:
        """One step of the shutdown."""
        if not self._run(self._connection.shutdown):
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "the peer has not closed yet")

    def pending(self) -> int:
        """Decrypted bytes that are not read yet."""
        return self._connection.pending()

    def getpeercert(self, binary_form: bool = False) -> None:  # asyncio's name
        """None, as `ssl` would verify one."""

    def cipher(self) -> None:
        """None: not shown."""

    def compression(self) -> None:
        """None: TLS 1.3 has none."""

    def _run(self, step: Callable[[], Result]) -> Result:
        """Run a step on the bytes that have come, with errors as `ssl` raises them."""
        data = memoryview(self._incoming.read())
        while data:
            data = data[self._connection.bio_write(bytes(data[:_CHUNK_BYTES])) :]
        try:
            return step()
        except SSL.WantReadError:
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "more bytes are needed") from None
        except SSL.ZeroReturnError:
            raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "the peer has closed") from None
        except SSL.Error as error:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, f"TLS failed: {error}") from None
        finally:
            self._flush()

    def _flush(self) -> None:
        while True:
            try:
                self._outgoing.write(self._connection.bio_read(_CHUNK_BYTES))
            except SSL.Error:  # WantReadError: all is read
                return


class ServerCertificate:
    """The listener's certificate; `refresh` loads a renewed one for new connections."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._stats = self._stat()
        self._load()

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """What asyncio takes for a context: it calls `wrap_bio` only."""
        return cast(ssl.SSLContext, self)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = True,  # asyncio's name
        server_hostname: str | None = None,  # asyncio's name
    ) -> TlsConnection:
        """A new connection, with the certificate as last loaded."""
        return TlsConnection(self._context, incoming, outgoing)

    def trouble(self, now: int) -> Trouble | None:
        """A certificate that has expired or soon will; the listener goes on."""
        return expiry_trouble(str(self), "tenants' clients", self.expires_at, now)

    def refresh(self) -> bool:
        """True if a changed certificate was loaded; ServerCertificateError if it is invalid."""
        stats = self._stat()
        if stats == self._stats:
            return False
        self._stats = stats
        self._load()
        return True

    def covers(self, name: str) -> bool:
        """Whether a host name is one of its names, or covered by a wildcard."""
        _, _, parent = name.partition(".")
        return name in self.names or f"*.{parent}" in self.names

    def __str__(self) -> str:
        return str(self._files[0])

    def _load(self) -> None:
        certificate, key = self._files
        try:
            leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
            context = server_context(certificate, key)
        except (OSError, ValueError, TypeError, SSL.Error) as error:
            why = getattr(error, "strerror", None) or error or "it is no PEM, or the key is another one's"
            raise ServerCertificateError(
                f"gateway.certificate {certificate} cannot be used with gateway.key {key}: {why}; set a PEM "
                "chain and its key without passphrase in the host file"
            ) from None
        self._context = context
        self.expires_at = int(leaf.not_valid_after_utc.timestamp())
        self.names = _names(leaf)

    def _stat(self) -> tuple[object, ...]:
        try:
            return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (f.stat() for f in self._files))
        except OSError as error:
            raise ServerCertificateError(
                f"{error.filename} cannot be read: {error.strerror}; make it readable for the daemon's user, "
                "or change gateway.certificate and gateway.key in the host file"
            ) from None


def server_context(certificate: Path, key: Path) -> SSL.Context:
    """A context for TLS 1.3 and HTTP/1.1; OSError, ValueError, TypeError (the key has a
    passphrase) or SSL.Error for unusable files.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_certificate_chain_file(str(certificate))
    private_key = load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("the key is neither RSA nor ECDSA")
    context.use_privatekey(private_key)
    context.check_privatekey()
    context.set_alpn_select_callback(_select_protocol)
    context.set_tlsext_servername_callback(_request_certificate)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    return context


def _select_protocol(_: SSL.Connection, offered: list[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    return ALPN if ALPN in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _request_certificate(connection: SSL.Connection) -> None:
    """Request a client certificate, and accept any: it is verified by the chain later."""
    if (connection.get_servername() or b"").startswith(CLIENT_CERTIFICATE_PREFIX):
        connection.set_verify(SSL.VERIFY_PEER, lambda *_: True)


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))
