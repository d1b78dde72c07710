"""Findings about the tenants' gateway."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli.doctor.gateway import check_gateway, check_host_uri
from reconciler.settings import GatewaySettings
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import ProviderRecord
from tests.api.certificates import DAY, Authority
from tests.gateway.test_chain_lookup import CERTS

CHAINS = GatewaySettings(
    ListenAddress("0.0.0.0", 8443), CERTS / "provider-server.cert.pem", CERTS / "provider-server.key.pem"
)


def settings(certificate: Path, key: Path) -> GatewaySettings:
    return GatewaySettings(ListenAddress("0.0.0.0", 8443), certificate, key)


@pytest.mark.parametrize(
    ("lasts", "state", "text"),
    [(30 * DAY, "ok", "is valid until"), (2 * DAY, "warn", "expires at"), (-DAY, "wrong", "expired at")],
)
def test_the_certificate_s_end(tmp_path: Path, lasts: timedelta, state: str, text: str) -> None:
    (found,) = check_gateway(settings(*Authority(tmp_path).issue("server", lasts)))
    assert found.state == state
    assert text in found.message


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (found,) = check_gateway(settings(authority.issue("a")[0], authority.issue("b")[1]))
    assert found.state == "wrong"
    assert "gateway.key" in found.message


@pytest.mark.parametrize(
    ("host_uri", "states", "text"),
    [
        ("https://provider.example.com:8443", ["wrong"], "lacks mtls.provider.example.com"),
        ("https://provider.example.com", ["warn", "wrong"], "names port 443"),
        ("https://other.example.com:8443", ["wrong"], "lacks other.example.com and mtls.other.example.com"),
        ("http://provider.example.com:8443", ["wrong"], "no https address"),
        ("https://[::1:8443", ["wrong"], "no https address"),
    ],
)
def test_tenants_reach_the_gateway_by_host_uri(host_uri: str, states: list[str], text: str) -> None:
    found = list(check_host_uri(CHAINS, ProviderRecord("ve1", host_uri, ())))
    assert [each.state for each in found] == states
    assert text in found[0].message


def test_without_a_gateway_nothing_is_checked() -> None:
    assert list(check_host_uri(None, ProviderRecord("ve1", "https://a.example.com", ()))) == []
