"""Accounts: numbers, sequences, public keys."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any as AnyMessage

from reconciler.chain.proto.cosmos_auth_pb2 import BaseAccount
from reconciler.chain.proto.cosmos_secp256k1_pb2 import PubKey
from reconciler.devnet.chain.addresses import raw
from reconciler.devnet.chain.store import Branch, StateReader
from reconciler.devnet.chain.tables import ACCOUNTS, COUNTERS, MODULES

_NUMBERS = b"accounts"
_KEY_BYTES = 21
_ANY_BYTES = 36
_MODULE_BYTES = 102
_CREATION_GAS = 14_292
_URL = "/cosmos.crypto.secp256k1.PubKey"


def read(state: StateReader, address: str) -> BaseAccount | None:
    """An account for a query."""
    return state.get(ACCOUNTS, raw(address))


def find(state: Branch, address: str) -> BaseAccount | None:
    """An account; its gas is part of the ante chain's."""
    return state.peek(ACCOUNTS, raw(address))


def create(state: Branch, address: str, number: int) -> BaseAccount:
    """A new account; later ones get higher numbers."""
    account = BaseAccount(address=address, account_number=number)
    state.put_free(ACCOUNTS, raw(address), account)
    state.put_free(COUNTERS, _NUMBERS, max(state.peek(COUNTERS, _NUMBERS) or 0, number + 1))
    return account


def charge_read(state: Branch, address: str) -> None:
    """Charge one read of an account."""
    found = find(state, address)
    size = _MODULE_BYTES if found is None else _ANY_BYTES + found.ByteSize()
    state.meter.read(_KEY_BYTES + size)


def ensure_account(state: Branch, address: str) -> None:
    """Create the account if it is missing."""
    state.meter.has()
    name = raw(address)
    if state.peek(ACCOUNTS, name) is None and state.peek(MODULES, name) is None:
        create(state, address, _next_number(state))
        state.meter.charge(_CREATION_GAS, "WritePerByte")


def ensure_module_account(state: Branch, module: str) -> None:
    """Create a module's account if it is missing."""
    name = raw(module)
    there = state.peek(MODULES, name) is not None
    state.meter.read(_KEY_BYTES + (_MODULE_BYTES if there else 0))
    if not there:
        state.put_free(MODULES, name, _next_number(state))
        state.meter.charge(_CREATION_GAS, "WritePerByte")


def _next_number(state: Branch) -> int:
    number = state.peek(COUNTERS, _NUMBERS) or 0
    state.put_free(COUNTERS, _NUMBERS, number + 1)
    return number


def public_key(account: BaseAccount) -> bytes:
    """The account's public key, empty before its first transaction."""
    return PubKey.FromString(account.pub_key.value).key if account.HasField("pub_key") else b""


def store_public_key(state: Branch, account: BaseAccount, key: bytes) -> None:
    """Store the public key of an account's first transaction."""
    new = BaseAccount()
    new.CopyFrom(account)
    new.pub_key.CopyFrom(AnyMessage(type_url=_URL, value=PubKey(key=key).SerializeToString()))
    state.put_free(ACCOUNTS, raw(account.address), new)


def increment_sequence(state: Branch, address: str) -> None:
    """Increment the sequence number."""
    account = find(state, address)
    if account is not None:
        new = BaseAccount()
        new.CopyFrom(account)
        new.sequence += 1
        state.put_free(ACCOUNTS, raw(address), new)
