"""The devnet's tenant against a real listener: by token, and by a certificate that it published."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from reconciler.devnet.chain.certificates import check_create
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.tenant_client import GatewayAccess, TenantClient, new_certificate
from reconciler.gateway.submissions import SubmissionMethod, SubmissionRefusal
from tests.api.certificates import Authority
from tests.gateway.gateway_server import ALICES, BOBS, Gateway, gateway
from tests.replay.tokens import KEYS

ALICE = KEYS["alice"]


@pytest.fixture
def access(tmp_path: Path) -> Iterator[tuple[Gateway, GatewayAccess]]:
    authority = Authority(tmp_path)
    files = authority.issue("gateway", hosts=["mtls.127.0.0.1"])
    with gateway(int(time.time()), files) as served:
        yield served, GatewayAccess(f"https://127.0.0.1:{served.port}", authority.file)


def test_with_a_token(access: tuple[Gateway, GatewayAccess]) -> None:
    served, at = access
    client = TenantClient(at, ALICE)
    client.send_manifest(ALICES.order.dseq, b"[]")
    assert [(each.body, each.method) for each in served.submissions.taken] == [(b"[]", SubmissionMethod.JWT)]
    assert client.status(ALICES)["services"].keys() == {"web", "db"}
    assert all(": " in line for line in client.logs(ALICES, tail=5))
    served.submissions.answer = lambda _: SubmissionRefusal(422, "no such thing")  # type: ignore[arg-type]
    with pytest.raises(DevnetError, match="answered 422: no such thing"):
        client.send_manifest(ALICES.order.dseq, b"[]")
    with pytest.raises(DevnetError, match="answered 404"):
        client.status(BOBS)


def test_with_a_certificate(access: tuple[Gateway, GatewayAccess], tmp_path: Path) -> None:
    served, at = access
    path = tmp_path / "alice.pem"
    published = new_certificate(ALICE, path)
    check_create(published)
    serial = str(x509.load_pem_x509_certificate(published.cert).serial_number)
    held = {"state": "valid", "cert": published.cert, "pubkey": published.pubkey}
    served.node.certificates = [{"serial": serial, "certificate": held}]
    TenantClient(GatewayAccess(at.url, at.authorities, path), ALICE).send_manifest(ALICES.order.dseq, b"[]")
    assert [each.method for each in served.submissions.taken] == [SubmissionMethod.CERTIFICATE]
    assert path.stat().st_mode & 0o777 == 0o600
