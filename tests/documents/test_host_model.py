"""Beside each key of the host file stands when a change of it applies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from reconciler.devnet.accounts import key_of
from reconciler.documents.host import limits_of, read_host
from reconciler.documents.host_model import HostFile
from reconciler.values.limits import PayoutRules

LIVE = {
    "rate.file",
    "adapters.ansible.known_hosts",
    "adapters.ansible.private_key",
    "adapters.ansible.vault",
    "adapters.ansible.vault_password_file",
    "repository.allowed_signers",
    "repository.credentials",
    "adapters.kubernetes.kubeconfig",
    "forge.token_file",
    "listen.ask_certificate",
    "listen.ask_key",
    "listen.ask_token",
    "listen.tls_certificate",
    "listen.tls_key",
    "gateway.certificate",
    "gateway.key",
    "sealing.identity",
    "listen.tokens",
    "listen.webhook_secret",
    "notices.secret_file",
}
"""Files that are read again when they change; the tests of those who read them show it."""


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Each key that holds no others, with its description."""
    for name, field in model.model_fields.items():
        inner = [
            each
            for each in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if isinstance(each, type) and issubclass(each, BaseModel)
        ]
        for each in inner:
            yield from keys(each, f"{path}{name}.")
        if not inner and name not in ("kind", "apiVersion", "api_version"):
            yield f"{path}{name}", (field.description or "").strip()


def test_each_key_states_when_it_applies() -> None:
    found = dict(keys(HostFile))
    assert len(found) > 40
    live = {key for key, text in found.items() if text.endswith("(live)")}
    assert live == LIVE
    assert {key for key, text in found.items() if not text.endswith(("(live)", "(restart)"))} == set()


PAYEE = key_of("third").address
HOST = """\
repository: {url: /r.git, branch: main}
chain: {chain_id: c-1, grpc: "127.0.0.1:9090", rpc: "http://127.0.0.1:26657"}
"""


def with_payout(**keys: str) -> bytes:
    lines = {"address": PAYEE, "operating_float": "20000000uve", **keys}
    return (HOST + "payout:\n" + "".join(f"  {k}: {v}\n" for k, v in lines.items())).encode()


def test_a_payout_has_limits_by_default_and_is_off_by_default() -> None:
    off, on = read_host("host.yaml", HOST.encode()), read_host("host.yaml", with_payout(every="2d"))
    assert isinstance(off, HostFile)
    assert isinstance(on, HostFile)
    assert limits_of(off, observe_only=False).payout is None
    rules = PayoutRules(PAYEE, 20_000_000, 2 * 86_400, 1_000_000, 100_000_000, 100_000_000)
    assert limits_of(on, observe_only=False).payout == rules


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("address", PAYEE[:-1] + ("q" if PAYEE[-1] != "q" else "p"), "wrong checksum"),
        ("address", "cosmos1abc", "is not an address"),
        ("operating_float", "999999uve", "is less than limits.balance_reserve (1000000uve)"),
        ("operating_float", "20000000usd", "usd"),
        ("amount_min", "0uve", "each payout costs a fee"),
        ("amount_min", "100000001uve", "exceeds payout.amount_max"),
        ("amount_max", "100000001uve", "exceeds payout.day_max"),
        ("every", "-1h", "is not a duration"),
    ],
)
def test_a_faulty_payout_is_named_with_its_line(key: str, value: str, message: str) -> None:
    found = read_host("host.yaml", with_payout(**{key: value}))
    assert isinstance(found, tuple)
    assert any(message in f.message and f.line > 3 for f in found), found
