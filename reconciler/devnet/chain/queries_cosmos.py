"""The SDK's own queries: auth and bank; and take, provider, audit."""

from __future__ import annotations

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from reconciler.chain.proto import audit_v1_pb2 as audit
from reconciler.chain.proto import cosmos_auth_pb2 as auth
from reconciler.chain.proto import cosmos_bank_pb2 as banks
from reconciler.chain.proto import mfa_v1_pb2 as mfa
from reconciler.chain.proto import provider_v1beta4_pb2 as provider
from reconciler.chain.proto import take_v1_pb2 as take
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_paging_pb2 import PageResponse
from reconciler.devnet.chain import accounts, bank, providers
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.errors import QueryError, invalid_argument, not_found, plain
from reconciler.devnet.chain.paging import simple_page
from reconciler.devnet.chain.store import View
from reconciler.devnet.chain.tables import AUDITED, BALANCES, PARAMS, PROVIDERS


def account(view: View, request: auth.QueryAccountRequest) -> auth.QueryAccountResponse:
    """An account; NOT_FOUND for an unknown one."""
    found = _account(view, request.address)
    packed = AnyMessage(type_url="/cosmos.auth.v1beta1.BaseAccount", value=found.SerializeToString())
    return auth.QueryAccountResponse(account=packed)


def account_details(view: View, request: auth.QueryAccountInfoRequest) -> auth.QueryAccountInfoResponse:
    """An account, not packed."""
    return auth.QueryAccountInfoResponse(info=_account(view, request.address))


def auth_params(view: View, request: auth.QueryParamsRequest) -> auth.QueryParamsResponse:
    """The auth module's parameters."""
    del view, request
    return auth.QueryParamsResponse(
        params=auth.Params(
            max_memo_characters=256,
            tx_sig_limit=7,
            tx_size_cost_per_byte=10,
            sig_verify_cost_ed25519=590,
            sig_verify_cost_secp256k1=1000,
        )
    )


def prefix(view: View, request: auth.Bech32PrefixRequest) -> auth.Bech32PrefixResponse:
    """The prefix that the node reports; no address has it (semantics 1.1)."""
    del view, request
    return auth.Bech32PrefixResponse(bech32_prefix="virtengine")


def balance(view: View, request: banks.QueryBalanceRequest) -> banks.QueryBalanceResponse:
    """One balance; 0 for an unknown denomination."""
    _check_address(request.address)
    amount = bank.balance(view, request.address, request.denom)
    return banks.QueryBalanceResponse(balance=Coin(denom=request.denom, amount=str(amount)))


def balances(view: View, request: banks.QueryAllBalancesRequest) -> banks.QueryAllBalancesResponse:
    """Every balance of an account."""
    coins = _coins(view, request.address)
    return banks.QueryAllBalancesResponse(balances=coins, pagination=PageResponse(total=len(coins)))


def spendable(
    view: View, request: banks.QuerySpendableBalancesRequest
) -> banks.QuerySpendableBalancesResponse:
    """An account's spendable balances: all of them."""
    coins = _coins(view, request.address)
    page = PageResponse(total=len(coins))
    return banks.QuerySpendableBalancesResponse(balances=coins, pagination=page)


def spendable_of(
    view: View, request: banks.QuerySpendableBalanceByDenomRequest
) -> banks.QuerySpendableBalanceByDenomResponse:
    """An account's spendable balance of one denomination."""
    _check_address(request.address)
    amount = bank.balance(view, request.address, request.denom)
    coin = Coin(denom=request.denom, amount=str(amount))
    return banks.QuerySpendableBalanceByDenomResponse(balance=coin)


def take_params(view: View, request: take.QueryParamsRequest) -> take.QueryParamsResponse:
    """The take rates."""
    del request
    params = take.Params.FromString(view.get(PARAMS, b"take") or b"")
    return take.QueryParamsResponse(params=params)


def mfa_params(view: View, request: mfa.QueryParamsRequest) -> mfa.QueryParamsResponse:
    """The second-factor module's parameters, which do not contain the enabled gates."""
    del view, request
    names = ("TOTP", "FIDO2", "SMS", "EMAIL", "VEID", "TRUSTED_DEVICE")
    return mfa.QueryParamsResponse(
        params=mfa.Params(
            default_session_duration=900,
            max_factors_per_account=10,
            max_challenge_attempts=3,
            challenge_ttl=300,
            max_trusted_devices=5,
            trusted_device_ttl=2592000,
            min_veid_score_for_mfa=50,
            require_at_least_one_factor=True,
            allowed_factor_types=[f"FACTOR_TYPE_{name}" for name in names],
        )
    )


def one_provider(view: View, request: provider.QueryProviderRequest) -> provider.QueryProviderResponse:
    """One provider."""
    try:
        key = providers.key(request.owner)
    except AddressError as error:
        raise invalid_argument("invalid address") from error
    found = view.get(PROVIDERS, key)
    if found is None:
        raise not_found("provider", 3, "invalid provider: address not found")
    return provider.QueryProviderResponse(provider=found)


def all_providers(view: View, request: provider.QueryProvidersRequest) -> provider.QueryProvidersResponse:
    """Every provider, by the bytes of its address."""
    rows, page = simple_page(view, PROVIDERS, b"", request.pagination)
    return provider.QueryProvidersResponse(providers=rows, pagination=page)


def audited(view: View, request: audit.QueryProviderAttributesRequest) -> audit.QueryProvidersResponse:
    """The audited attributes of one provider."""
    _check_address(request.owner)
    found = [row for _, row in view.scan(AUDITED, providers.audited_prefix(request.owner))]
    if not found:
        raise not_found("audit", 1, "invalid provider: address not found")
    return audit.QueryProvidersResponse(providers=found, pagination=PageResponse(total=len(found)))


def all_audited(
    view: View, request: audit.QueryAllProvidersAttributesRequest
) -> audit.QueryProvidersResponse:
    """The audited attributes of all providers."""
    rows, page = simple_page(view, AUDITED, b"", request.pagination)
    return audit.QueryProvidersResponse(providers=rows, pagination=page)


def _account(view: View, address: str) -> auth.BaseAccount:
    try:
        found = accounts.read(view, address)
    except AddressError as error:
        raise plain(str(error)) from error
    if found is None:
        raise QueryError(grpc.StatusCode.NOT_FOUND, f"account {address} not found")
    return found


def _coins(view: View, address: str) -> list[Coin]:
    _check_address(address)
    start = raw(address) + b"/"
    return [
        Coin(denom=key[len(start) :].decode(), amount=str(amount))
        for key, amount in view.scan(BALANCES, start)
        if amount
    ]


def _check_address(address: str) -> None:
    try:
        raw(address)
    except AddressError as error:
        raise invalid_argument(f"invalid address: {error}") from error
