"""Registration of providers, which only the genesis of a test allows (semantics 6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from reconciler.chain.proto import provider_v1beta4_pb2 as v1beta4
from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute
from reconciler.chain.proto.market_v1_pb2 import Lease
from reconciler.chain.proto.provider_v1beta4_pb2 import Provider
from reconciler.devnet.chain import groupspecs, keys, providers
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError, sdk
from reconciler.devnet.chain.tables import LEASES_BY_PROVIDER, PROVIDERS


def check_create(msg: v1beta4.MsgCreateProvider) -> None:
    """Check a MsgCreateProvider."""
    _check(msg.host_uri, msg.owner, msg.attributes, "MsgCreate")


def check_update(msg: v1beta4.MsgUpdateProvider) -> None:
    """Check a MsgUpdateProvider."""
    _check(msg.host_uri, msg.owner, msg.attributes, "MsgUpdate")


def check_delete(msg: v1beta4.MsgDeleteProvider) -> None:
    """Check a MsgDeleteProvider."""
    _check_owner(msg.owner, "MsgDelete")


def create(call: MessageCall, msg: v1beta4.MsgCreateProvider) -> v1beta4.MsgCreateProviderResponse:
    """Register a provider."""
    if providers.find(call, msg.owner) is not None:
        raise TxRefusedError("provider", 4, f"id: {msg.owner}: invalid provider: already exists")
    _store(call, msg)
    call.events.typed(v1beta4.EventProviderCreated(owner=msg.owner))
    return v1beta4.MsgCreateProviderResponse()


def update(call: MessageCall, msg: v1beta4.MsgUpdateProvider) -> v1beta4.MsgUpdateProviderResponse:
    """Replace a provider's whole record."""
    if providers.find(call, msg.owner) is None:
        raise TxRefusedError("provider", 3, f"id: {msg.owner}: invalid provider: address not found")
    _store(call, msg)
    call.events.typed(v1beta4.EventProviderUpdated(owner=msg.owner))
    return v1beta4.MsgUpdateProviderResponse()


def delete(call: MessageCall, msg: v1beta4.MsgDeleteProvider) -> v1beta4.MsgDeleteProviderResponse:
    """Delete a provider; refused while it has leases."""
    if providers.find(call, msg.owner) is None:
        raise TxRefusedError("provider", 3, "invalid provider: address not found")
    prefix = bytes([0x13, 1, Lease.active]) + keys.account(msg.owner)
    if call.state.walk(LEASES_BY_PROVIDER, prefix):
        words = f"provider {msg.owner} has active leases: provider has active leases"
        raise TxRefusedError("provider", 24, words)
    call.state.delete(PROVIDERS, providers.key(msg.owner))
    call.events.typed(v1beta4.EventProviderDeleted(owner=msg.owner))
    return v1beta4.MsgDeleteProviderResponse()


def _store(call: MessageCall, msg: v1beta4.MsgCreateProvider | v1beta4.MsgUpdateProvider) -> None:
    record = Provider(owner=msg.owner, host_uri=msg.host_uri, attributes=msg.attributes, info=msg.info)
    call.state.put(PROVIDERS, providers.key(msg.owner), record)


def _check(uri: str, owner: str, attributes: Iterable[Attribute], name: str) -> None:
    _check_uri(uri)
    _check_owner(owner, name)
    groupspecs.check_attributes(attributes)


def _check_uri(uri: str) -> None:
    try:
        url = urlsplit(uri)
    except ValueError as error:
        raise TxRefusedError("provider", 1, "invalid provider: invalid host uri") from error
    if not url.scheme:
        words = f'validating "{uri}" for absolute URI: invalid provider: not absolute host uri'
        raise TxRefusedError("provider", 2, words)
    for wrong, words in (
        (url.scheme != "https", f'scheme in "{uri}" should be https'),
        (not url.netloc, f'validating "{uri}" for valid host'),
        (bool(url.path), f'path in "{uri}" should be empty'),
    ):
        if wrong:
            raise TxRefusedError("provider", 1, f"{words}: invalid provider: invalid host uri")


def _check_owner(owner: str, name: str) -> None:
    try:
        raw(owner)
    except AddressError as error:
        raise sdk(7, f"{name}: Invalid Provider Address: invalid address") from error
