"""Requests to the running daemon's API: plain HTTP on loopback, else TLS with a token or certificate."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from reconciler.cli.errors import CliError
from reconciler.documents.typed_json import decode_json
from reconciler.runtime.secret_files import SecretError, SecretFile, read_plaintext_tokens, read_token
from reconciler.settings import ListenSettings
from reconciler.values.listen_address import ListenAddress
from reconciler.values.views import ErrorView, ReconcileView

TIMEOUT_SECONDS = 5
BODY_MAX_BYTES = 64 * 1024 * 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # connected to, not listened on
END_OF_PEM = "-----END CERTIFICATE-----"
EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""

View = TypeVar("View")


class NoDaemonError(CliError):
    """No daemon responds."""


class RequestRefusedError(CliError):
    """The daemon responded with an error; `code` is the HTTP status."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def fetch(listen: ListenSettings, path: str, view: type[View], method: str = "GET") -> View:
    """The daemon's response; NoDaemonError if there is none, RequestRefusedError if it is an error."""
    at = ListenAddress(WILDCARDS.get(listen.api.host, listen.api.host), listen.api.port)
    tls, headers = (None, {}) if listen.api.is_loopback else (_tls(listen), _credentials(listen))
    connection = _connection(at, tls)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read(BODY_MAX_BYTES)
    except ssl.SSLCertVerificationError as error:
        raise CliError(_untrusted(listen, at, error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise NoDaemonError(
            f"error: no daemon answers on {at} ({error}); start it with `provider-daemon run`"
        ) from None
    finally:
        connection.close()
    if response.status // 100 != 2:
        message = f"error: the daemon answered {response.status}: {_refusal(response.status, body)}"
        raise RequestRefusedError(message, response.status)
    try:
        return decode_json(body, view)
    except (msgspec.MsgspecError, ValueError) as error:
        raise CliError(
            f"error: the response of {at} to {path} cannot be read ({error}); is it a daemon of this version?"
        ) from None


def request_cycle(listen: ListenSettings) -> None:
    """Make the daemon run a cycle now; raises as `fetch` does."""
    fetch(listen, "/api/v1/reconcile", ReconcileView, "POST")


def _connection(at: ListenAddress, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection(at.host, at.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(at.host, at.port, timeout=TIMEOUT_SECONDS, context=tls)


def _tls(listen: ListenSettings) -> ssl.SSLContext:
    """Pins the configured certificate; skips host name checks."""
    assert listen.tls_certificate is not None, "the host file is invalid without it"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        first, end, _ = listen.tls_certificate.read_text(encoding="ascii").partition(END_OF_PEM)
        tls.load_verify_locations(cadata=first + end)
        if listen.ask_certificate is not None:
            tls.load_cert_chain(listen.ask_certificate, listen.ask_key)
    except (OSError, ValueError) as error:
        named = " or ".join(str(path) for path in (listen.tls_certificate, listen.ask_certificate) if path)
        raise CliError(
            f"error: {named} cannot be used for requests: {getattr(error, 'strerror', None) or error}; "
            f"set PEM files that you may read in the host file"
        ) from None
    return tls


def _credentials(listen: ListenSettings) -> Mapping[str, str]:
    """A token, if there is one; a client certificate needs none."""
    token = ""
    try:
        if listen.ask_token is not None:
            token = SecretFile(listen.ask_token, read_token).content
        elif listen.tokens is not None and listen.ask_certificate is None:
            token = _plaintext_token(listen.tokens)
    except SecretError as error:
        raise CliError(f"error: {error}") from None
    return {"Authorization": f"Bearer {token}"} if token else {}


def _plaintext_token(path: Path) -> str:
    now = time.time()
    found = SecretFile(path, read_plaintext_tokens).content
    return next((text for text, token in found if token.until is None or now < token.until), "")


def _untrusted(listen: ListenSettings, at: ListenAddress, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == EXPIRED:
        return (
            f"error: the certificate {listen.tls_certificate} of {at} has expired; renew it, the daemon "
            f"reloads it without a restart"
        )
    return (
        f"error: {at} does not present {listen.tls_certificate} ({error.verify_message}); a renewed one is "
        f"loaded within five seconds, else check what listens there (ss -ltnp)"
    )


def _refusal(status: int, body: bytes) -> str:
    try:
        found = decode_json(body, ErrorView)
        message = f"{found.error}; {found.advice}"
    except (msgspec.MsgspecError, ValueError):
        message = body.decode(errors="replace")[:500]
    if status == http.client.UNAUTHORIZED:
        message += (
            " (commands send the token in listen.ask_token, else the first plaintext one of listen.tokens)"
        )
    return message
