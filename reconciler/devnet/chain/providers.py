"""Providers and their audited attributes (semantics 6.1)."""

from __future__ import annotations

from reconciler.chain.proto.audit_v1_pb2 import AuditedProvider
from reconciler.chain.proto.provider_v1beta4_pb2 import Provider
from reconciler.devnet.chain.addresses import raw
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.keys import account
from reconciler.devnet.chain.tables import AUDITED, PROVIDERS


def key(owner: str) -> bytes:
    """A provider's key."""
    return raw(owner)


def audited_prefix(owner: str) -> bytes:
    """The prefix of a provider's audited attributes; the auditor follows."""
    return b"\x01" + account(owner)


def find(call: MessageCall, owner: str) -> Provider | None:
    """A registered provider, or None."""
    return call.state.get(PROVIDERS, key(owner)) if call.state.has(PROVIDERS, key(owner)) else None


def audited(call: MessageCall, owner: str) -> list[AuditedProvider]:
    """A provider's audited attributes, by the auditor's bytes."""
    return [record for _, record in call.state.walk(AUDITED, audited_prefix(owner))]
