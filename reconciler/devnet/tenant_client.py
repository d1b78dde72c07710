"""SIMULATOR: a tenant's requests to a provider's gateway, with a token or with a client certificate."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto.cert_v1_pb2 import MsgCreateCertificate
from reconciler.devnet.errors import DevnetError
from reconciler.values.ids import LeaseId
from reconciler.values.text import one_line

TOKEN_SECONDS = 900
"""As the reference's client signs them (tenant 2.1)."""

REQUEST_SECONDS = 30
CERTIFICATE_DAYS = 365


@dataclass(frozen=True, slots=True)
class GatewayAccess:
    """A provider's gateway: its URL, the file of the authorities for its certificate (None: the system's),
    and the client's certificate with its key in one file (None: a token is sent).
    """

    url: str
    authorities: Path | None = None
    certificate: Path | None = None


class TenantClient:
    """Sends manifests and reads status and logs, for one account. DevnetError for every refusal."""

    def __init__(self, gateway: GatewayAccess, key: PrivateKey) -> None:
        self._gateway, self._key = gateway, key

    def send_manifest(self, dseq: int, body: bytes) -> None:
        """Send the manifest of a deployment; only 200 is success."""
        self._request("PUT", f"/deployment/{dseq}/manifest", body)

    def status(self, lease: LeaseId) -> Any:
        """The status of a lease's services."""
        return json.loads(self._request("GET", f"{_path(lease)}/status"))

    def logs(self, lease: LeaseId, *, tail: int) -> Iterator[str]:
        """The last lines of a lease's containers, each with its container."""
        yield from asyncio.run(self._logs(f"{_path(lease)}/logs?follow=false&tail={tail}"))

    def _request(self, method: str, path: str, body: bytes = b"") -> bytes:
        try:
            status, answer = asyncio.run(self._answer(method, path, body))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DevnetError(f"the gateway {self._gateway.url} does not answer: {error}") from None
        if status != 200:
            shown = one_line(answer.decode("utf-8", "replace")) or "no reason"
            raise DevnetError(f"the gateway answered {status}: {shown}")
        return answer

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        limit = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.request(
                method,
                self._gateway.url + path,
                data=body or None,
                headers=self._headers(),
                ssl=self._tls(),
                server_hostname=self._server_name(),
            ) as response,
        ):
            return response.status, await response.read()

    async def _logs(self, path: str) -> list[str]:
        lines: list[str] = []
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(
                    self._gateway.url + path,
                    headers=self._headers(),
                    ssl=self._tls(),
                    server_hostname=self._server_name(),
                ) as socket,
            ):
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        line = json.loads(message.data)
                        lines.append(f"{line['name']}: {line['message']}")
        except (aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            raise DevnetError(f"the logs cannot be read from {self._gateway.url}: {error}") from None
        return lines

    def _headers(self) -> dict[str, str]:
        if self._gateway.certificate is not None:
            return {}
        return {"Authorization": f"Bearer {token(self._key, int(time.time()))}"}

    def _server_name(self) -> str | None:
        """The name to ask for: a client with a certificate asks for another one (tenant 2.2)."""
        host = urlsplit(self._gateway.url).hostname
        return f"mtls.{host}" if self._gateway.certificate is not None else None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._gateway.authorities)
        if self._gateway.certificate is not None:
            context.load_cert_chain(self._gateway.certificate)
        return context


def _path(lease: LeaseId) -> str:
    order = lease.order
    return f"/lease/{order.dseq}/{order.gseq}/{order.oseq}"


def token(key: PrivateKey, now: int) -> str:
    """A token with full access for 15 minutes, from a time on (Unix seconds)."""
    header = {"alg": "ES256K", "typ": "JWT"}
    claims = {
        "iss": key.address,
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "version": "v1",
        "leases": {"access": "full"},
    }
    text = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{text}.{_base64url(key.sign(text.encode()))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_certificate(key: PrivateKey, path: Path) -> MsgCreateCertificate:
    """Write a client certificate with its key into a file; the message that publishes it."""
    own, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key.address)])
    usage = x509.KeyUsage(False, False, True, True, False, False, False, False, False)
    made = (
        x509.CertificateBuilder(name, name, own.public_key(), time.time_ns())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(own, SHA256())
    )
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pem = made.public_bytes(Encoding.PEM)
    path.touch(0o600)
    path.write_bytes(pem + own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return MsgCreateCertificate(
        owner=key.address, cert=pem, pubkey=public.replace(b" PUBLIC KEY", b" EC PUBLIC KEY")
    )
