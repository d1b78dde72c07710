"""The state that a genesis makes."""

from __future__ import annotations

from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute
from reconciler.chain.proto.provider_v1beta4_pb2 import Info, Provider
from reconciler.devnet.chain import accounts, bank, providers
from reconciler.devnet.chain.addresses import DISTRIBUTION, FEE_COLLECTOR, raw
from reconciler.devnet.chain.genesis import DENOM, Genesis, GenesisProvider
from reconciler.devnet.chain.store import Branch, StateStore
from reconciler.devnet.chain.tables import BALANCES, PARAMS, PROVIDERS, SCORES


def lay(store: StateStore, genesis: Genesis) -> None:
    """Write a genesis into an empty store; it is the state before the first block."""
    state = Branch(store.tip())
    for number, first in enumerate(genesis.accounts):
        account = accounts.create(state, first.address, number)
        if first.public_key:
            accounts.show_key(state, account, first.public_key)
        for _ in range(first.sequence):
            accounts.count_up(state, first.address)
        state.put_free(BALANCES, bank.key(first.address, DENOM), first.balance_uve)
        if first.score is not None:
            state.put_free(SCORES, raw(first.address), first.score)
    for module in (FEE_COLLECTOR, DISTRIBUTION):
        accounts.make_sure_of_module(state, module)
    for provider in genesis.providers:
        state.put_free(PROVIDERS, providers.key(provider.owner), _record(provider))
    for name, params in (
        (b"market", genesis.market),
        (b"deployment", genesis.deployment),
        (b"take", genesis.take),
        (b"settlement", genesis.settlement),
    ):
        state.put_free(PARAMS, name, params.SerializeToString())
    state.flush(store.write)


def _record(provider: GenesisProvider) -> Provider:
    return Provider(
        owner=provider.owner,
        host_uri=provider.host_uri,
        attributes=[Attribute(key=k, value=v) for k, v in provider.attributes.items()],
        info=Info(email=provider.email, website=provider.website),
    )
