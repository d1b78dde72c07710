"""A question to the running daemon's API: plain on this machine alone, else over TLS and with a proof."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.cli.errors import CliError
from reconciler.runtime.secret_files import SecretError, SecretFile, read_token, read_whole_tokens
from reconciler.settings import ListenSettings
from reconciler.values.listen_address import ListenAddress

TIMEOUT_SECONDS = 5
ANSWER_MAX = 64 * 1024 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # asked there, not listened on
END_OF_PEM = "-----END CERTIFICATE-----"
EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


class NoDaemonError(CliError):
    """Nobody answers there."""


class RequestRefusedError(CliError):
    """The daemon answered with something else than was asked for; `code` is the HTTP status."""

    def __init__(self, told: str, code: int) -> None:
        super().__init__(told)
        self.code = code


def ask(listen: ListenSettings, path: str, method: str = "GET") -> Any:
    """The answer's JSON; NoDaemonError where no daemon answers, RefusedError where it does not tell."""
    at = ListenAddress(EVERYWHERE.get(listen.api.host, listen.api.host), listen.api.port)
    tls, headers = (None, {}) if listen.api.is_loopback else (_tls(listen), _proof(listen))
    connection = _connection(at, tls)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(ANSWER_MAX)
    except ssl.SSLCertVerificationError as error:
        raise CliError(_strange(listen, at, error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise NoDaemonError(
            f"error: no daemon answers on {at} ({error}); start it with `provider-daemon run`"
        ) from None
    finally:
        connection.close()
    if answer.status // 100 != 2:
        told = f"error: the daemon answered {answer.status}: {_refusal(answer.status, body)}"
        raise RequestRefusedError(told, answer.status)
    return json.loads(body)


def _connection(at: ListenAddress, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection(at.host, at.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(at.host, at.port, timeout=TIMEOUT_SECONDS, context=tls)


def _tls(listen: ListenSettings) -> ssl.SSLContext:
    """Trusts the very certificate that the host file names and no other, whatever names stand in it."""
    assert listen.tls_certificate is not None, "the host file is refused without it"
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
            f"error: {named} cannot be used to ask the daemon: {getattr(error, 'strerror', None) or error}; "
            f"name PEM files that you may read in the host file"
        ) from None
    return tls


def _proof(listen: ListenSettings) -> Mapping[str, str]:
    """A token where there is one; who shows a certificate alone needs none."""
    token = ""
    try:
        if listen.ask_token is not None:
            token = SecretFile(listen.ask_token, read_token).content
        elif listen.tokens is not None and listen.ask_certificate is None:
            token = _whole_token(listen.tokens)
    except SecretError as error:
        raise CliError(f"error: {error}") from None
    return {"Authorization": f"Bearer {token}"} if token else {}


def _whole_token(path: Path) -> str:
    now = time.time()
    found = SecretFile(path, read_whole_tokens).content
    return next((text for text, token in found if token.until is None or now < token.until), "")


def _strange(listen: ListenSettings, at: ListenAddress, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == EXPIRED:
        return (
            f"error: the certificate {listen.tls_certificate} has expired, and {at} shows it; renew it: the "
            f"daemon takes it without a restart"
        )
    return (
        f"error: who answers on {at} does not show {listen.tls_certificate} ({error.verify_message}); a "
        f"renewed one is taken within five seconds, else see who listens there (ss -ltnp)"
    )


def _refusal(status: int, body: bytes) -> str:
    try:
        told = json.loads(body)
        words = f"{told['error']}; {told['advice']}"
    except (ValueError, KeyError, TypeError):
        words = body.decode(errors="replace")[:500]
    if status == http.client.UNAUTHORIZED:
        words += " (commands show the token in listen.ask_token, else the first whole one of listen.tokens)"
    return words
