"""`doctor`, checks of the tenants' gateway: certificate, host names, port."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from reconciler.cli.doctor.checks import CheckResult, ok, warn, wrong
from reconciler.gateway.tls import ServerCertificate, ServerCertificateError
from reconciler.settings import GatewaySettings
from reconciler.values.observed import ProviderRecord
from reconciler.values.times import utc_text

CHECK = "gateway"
DEFAULT_PORT = 443


def check_gateway(gateway: GatewaySettings | None) -> Iterator[CheckResult]:
    """The certificate of the tenants' gateway."""
    if gateway is None:
        return
    try:
        certificate = ServerCertificate(gateway.certificate, gateway.key)
    except ServerCertificateError as error:
        yield wrong(CHECK, str(error))
        return
    found = certificate.trouble(int(time.time()))
    if found is None:
        day = utc_text(certificate.expires_at, "%Y-%m-%d")
        yield ok(CHECK, f"{certificate} is valid until {day}")
    else:
        bad = found.reason == "CertificateExpired"
        yield (wrong if bad else warn)(CHECK, found.message, found.advice)


def check_host_uri(gateway: GatewaySettings | None, record: ProviderRecord | None) -> Iterator[CheckResult]:
    """Whether tenants who follow the provider's record on the chain reach the gateway, and trust it."""
    if gateway is None or record is None:
        return
    try:
        parts = urlsplit(record.host_uri)
        host, port = parts.hostname if parts.scheme == "https" else None, parts.port or DEFAULT_PORT
    except ValueError:
        host, port = None, 0
    if not host:
        yield wrong(CHECK, f"host_uri {record.host_uri} is no https address", "update the provider's record")
        return
    if port != gateway.address.port:
        message = f"host_uri {record.host_uri} names port {port}, the gateway listens on {gateway.address}"
        yield warn(CHECK, message, "forward that port to the gateway, or update the provider's record")
    try:
        certificate = ServerCertificate(gateway.certificate, gateway.key)
    except ServerCertificateError:
        return  # `check_gateway` reports it
    missing = [name for name in (host, f"mtls.{host}") if not certificate.covers(name)]
    if missing:
        message = f"the certificate {certificate} lacks {' and '.join(missing)}"
        yield wrong(CHECK, message, "request one for both names: tenants' clients verify them")
    else:
        yield ok(CHECK, f"the certificate covers {host} and mtls.{host}")
