"""`virtengine query provider` and `query bank`."""

from __future__ import annotations

from typing import Any

import click

from reconciler.chain.client_json import printed
from reconciler.chain.proto import cosmos_bank_pb2, provider_v1beta4_pb2
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest
from reconciler.chain.queries import BANK, PROVIDER, PROVIDER_BY_OWNER
from reconciler.chain.stubs import unary
from reconciler.cli.virtengine.handover import Handing
from reconciler.cli.virtengine.lists import (
    PAGE_ROWS,
    Page,
    Paging,
    cut,
    pages,
    paging_options,
    reverse_option,
)
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget, output_option, where_options
from reconciler.cli.virtengine.output import say

PROVIDERS = unary(
    PROVIDER, provider_v1beta4_pb2.QueryProvidersRequest, provider_v1beta4_pb2.QueryProvidersResponse
)
BALANCES = unary(BANK, cosmos_bank_pb2.QueryAllBalancesRequest, cosmos_bank_pb2.QueryAllBalancesResponse)


@click.group(cls=Handing)
def provider() -> None:
    """Providers' records."""


@click.group(cls=Handing)
def bank() -> None:
    """Balances."""


@provider.command("get")
@click.argument("address")
@output_option
@where_options
def get_provider(address: str, output: str, **flags: Any) -> None:
    """Show the record of the provider at ADDRESS."""
    with QueryTarget.taken(flags).asked(f"provider {address}") as node:
        request = provider_v1beta4_pb2.QueryProviderRequest(owner=address)
        answer = printed(node.ask(PROVIDER_BY_OWNER, request).provider)
    say(answer, output)


@provider.command("list")
@output_option
@where_options
@paging_options
@reverse_option
def list_providers(output: str, **flags: Any) -> None:
    """List every provider's record."""
    where, paging = QueryTarget.taken(flags), Paging.taken(flags)
    with where.asked("providers") as asked:
        node = asked.pinned(paging.height)
        found = pages(lambda at: _providers(node, at), paging.rows_at_once, reverse=paging.reverse)
        answer = cut("providers", found, paging, node.height)
    say(answer, output)


@bank.command()
@click.argument("address")
@output_option
@where_options
def balances(address: str, output: str, **flags: Any) -> None:
    """Show the whole balance of the account at ADDRESS."""
    with QueryTarget.taken(flags).asked(f"balances of {address}") as asked:
        node = asked.pinned()
        found = [printed(coin) for coin in pages(lambda at: _balances(node, address, at), PAGE_ROWS)]
    say({"balances": found, "pagination": {}}, output)


def _providers(node: NodeConnection, at: PageRequest) -> Page[provider_v1beta4_pb2.Provider]:
    answer = node.ask(PROVIDERS, provider_v1beta4_pb2.QueryProvidersRequest(pagination=at))
    return answer.providers, answer.pagination.next_key


def _balances(node: NodeConnection, address: str, at: PageRequest) -> Page[Coin]:
    request = cosmos_bank_pb2.QueryAllBalancesRequest(address=address, pagination=at)
    answer = node.ask(BALANCES, request)
    return answer.balances, answer.pagination.next_key
