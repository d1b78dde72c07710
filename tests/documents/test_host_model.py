"""Beside each key of the host file stands when a change of it applies."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from reconciler.documents.host_model import HostFile

LIVE = {
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
