"""The genesis: accounts, providers, parameters, gates; and the state that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute
from reconciler.chain.proto.deployment_v1beta4_pb2 import Params as DeploymentParams
from reconciler.chain.proto.market_v1beta5_pb2 import Params as MarketParams
from reconciler.chain.proto.provider_v1beta4_pb2 import Info, Provider
from reconciler.chain.proto.settlement_v1_pb2 import Params as SettlementParams
from reconciler.chain.proto.take_v1_pb2 import Params as TakeParams
from reconciler.devnet.chain import accounts, bank, providers
from reconciler.devnet.chain.addresses import DISTRIBUTION, FEE_COLLECTOR, raw
from reconciler.devnet.chain.store import Branch, StateStore
from reconciler.devnet.chain.tables import BALANCES, PARAMS, PROVIDERS, SCORES

DENOM = "uve"


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account of the genesis; their order gives the account numbers."""

    address: str
    balance_uve: int
    public_key: bytes = b""
    sequence: int = 0
    score: int | None = None


@dataclass(frozen=True, slots=True)
class GenesisProvider:
    """A registered provider; there is no other way to register one (semantics 1.5)."""

    owner: str
    host_uri: str
    attributes: Mapping[str, str]
    email: str = "ops@example.com"
    website: str = "https://example.com"


@dataclass(frozen=True, slots=True)
class Gates:
    """The messages that need a second factor, which none can carry, and whether identity is checked."""

    identity: bool = True
    second_factor: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Genesis:
    """The initial state of a chain."""

    chain_id: str
    accounts: tuple[GenesisAccount, ...]
    providers: tuple[GenesisProvider, ...] = ()
    gates: Gates = Gates()
    minimum_gas_price: Decimal = Decimal("0.025")
    registration: bool = False
    market: MarketParams = field(default_factory=lambda: market_params())
    deployment: DeploymentParams = field(default_factory=lambda: deployment_params())
    take: TakeParams = field(default_factory=lambda: take_params())
    settlement: SettlementParams = field(default_factory=lambda: settlement_params())


def market_params() -> MarketParams:
    """The market's parameters on a local network (semantics 3.1)."""
    return MarketParams(bid_min_deposit={"denom": DENOM, "amount": "500000"}, order_max_bids=20)


def deployment_params() -> DeploymentParams:
    """The minimum deposit of a deployment."""
    return DeploymentParams(min_deposits=[{"denom": DENOM, "amount": "500000"}])


def take_params() -> TakeParams:
    """Two percent of uve, twenty of everything else (semantics 4.3)."""
    return TakeParams(denom_take_rates=[{"denom": DENOM, "rate": 2}], default_take_rate=20)


def settlement_params() -> SettlementParams:
    """The settlement module's parameters (semantics 5.6)."""
    return SettlementParams(
        platform_fee_rate="0.05",
        validator_fee_rate="0.01",
        min_escrow_duration=3600,
        max_escrow_duration=31536000,
        settlement_period=86400,
        reward_claim_expiry=2592000,
        min_settlement_amount="1000",
        usage_grace_period=86400,
        staking_reward_epoch_length=100,
        verification_reward_amount="100",
        payout_holdback_rate="0.0",
        max_payout_retries=3,
        dispute_window_duration=604800,
        usage_reward_rate_bps=1000,
        usage_reward_cpu_multiplier_bps=10000,
        usage_reward_memory_multiplier_bps=10000,
        usage_reward_storage_multiplier_bps=10000,
        usage_reward_gpu_multiplier_bps=12000,
        usage_reward_network_multiplier_bps=9000,
        usage_reward_sla_ontime_multiplier_bps=10000,
        usage_reward_sla_late_multiplier_bps=8000,
        usage_reward_ack_multiplier_bps=10000,
        usage_reward_unack_multiplier_bps=9000,
        fiat_conversion_min_amount="1000",
        fiat_conversion_max_amount="100000000",
        fiat_conversion_daily_limit="1000000000",
        fiat_conversion_stable_denom="uusdc",
        fiat_conversion_stable_symbol="USDC",
        fiat_conversion_stable_decimals=6,
        fiat_conversion_default_fiat="USD",
        fiat_conversion_default_method="bank_transfer",
        fiat_conversion_max_slippage="0.02",
        fiat_conversion_risk_score_threshold=75,
        fiat_conversion_min_compliance_status="CLEARED",
    )


def write_genesis(store: StateStore, genesis: Genesis) -> None:
    """Write a genesis into an empty store; it is the state before the first block."""
    state = Branch(store.tip())
    for number, first in enumerate(genesis.accounts):
        account = accounts.create(state, first.address, number)
        if first.public_key:
            accounts.store_public_key(state, account, first.public_key)
        for _ in range(first.sequence):
            accounts.increment_sequence(state, first.address)
        state.put_free(BALANCES, bank.key(first.address, DENOM), first.balance_uve)
        if first.score is not None:
            state.put_free(SCORES, raw(first.address), first.score)
    for module in (FEE_COLLECTOR, DISTRIBUTION):
        accounts.ensure_module_account(state, module)
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
