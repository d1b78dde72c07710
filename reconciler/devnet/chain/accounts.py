"""Accounts: numbers, sequences, public keys."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any as AnyMessage

from reconciler.chain.proto.cosmos_auth_pb2 import BaseAccount
from reconciler.chain.proto.cosmos_secp256k1_pb2 import PubKey
from reconciler.devnet.chain.addresses import raw
from reconciler.devnet.chain.store import Branch, Reader
from reconciler.devnet.chain.tables import ACCOUNTS

_URL = "/cosmos.crypto.secp256k1.PubKey"


def read(state: Reader, address: str) -> BaseAccount | None:
    """An account for a query."""
    return state.get(ACCOUNTS, raw(address))


def find(state: Branch, address: str) -> BaseAccount | None:
    """An account; its gas is part of the ante chain's."""
    return state.peek(ACCOUNTS, raw(address))


def create(state: Branch, address: str, number: int) -> BaseAccount:
    """A new account with the next number."""
    account = BaseAccount(address=address, account_number=number)
    state.put_free(ACCOUNTS, raw(address), account)
    return account


def next_number(state: Reader) -> int:
    """The number that the next account gets."""
    return sum(1 for _ in state.scan(ACCOUNTS))


def public_key(account: BaseAccount) -> bytes:
    """The account's key, or nothing before its first transaction."""
    return PubKey.FromString(account.pub_key.value).key if account.HasField("pub_key") else b""


def show_key(state: Branch, account: BaseAccount, key: bytes) -> None:
    """Keep the key of an account's first transaction."""
    new = BaseAccount()
    new.CopyFrom(account)
    new.pub_key.CopyFrom(AnyMessage(type_url=_URL, value=PubKey(key=key).SerializeToString()))
    state.put_free(ACCOUNTS, raw(account.address), new)


def count_up(state: Branch, address: str) -> None:
    """Spend a sequence number."""
    account = find(state, address)
    if account is not None:
        new = BaseAccount()
        new.CopyFrom(account)
        new.sequence += 1
        state.put_free(ACCOUNTS, raw(address), new)
