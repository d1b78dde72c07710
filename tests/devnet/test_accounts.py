import json
from pathlib import Path

from reconciler.chain.keys import address_bytes
from reconciler.devnet.accounts import PROVIDER, PROVIDER_UVE, genesis, key_of, names

RECORDED = Path(__file__).parents[1] / "vectors" / "market-lifecycle.jsonl"


def test_the_accounts_are_those_of_the_recorded_network() -> None:
    with RECORDED.open(encoding="utf-8") as lines:
        accounts = json.loads(next(lines))["genesis"]["accounts"]
    assert [a["name"] for a in accounts] == list(names())
    assert [a["address"] for a in accounts] == [key_of(n).address for n in names()]


def test_the_providers_record_is_the_recorded_one_that_bills_by_usage_too() -> None:
    with RECORDED.open(encoding="utf-8") as lines:
        recorded = json.loads(next(lines))["genesis"]["providers"][0]["attributes"]
    ours = genesis().providers[0]
    assert ours.owner == key_of(PROVIDER).address
    assert dict(ours.attributes) == recorded | {"billing": "usage"}


def test_of_two_losing_bids_third_is_refunded() -> None:
    assert address_bytes(key_of("third").address) < address_bytes(key_of(PROVIDER).address)


def test_figures() -> None:
    made = genesis()
    assert made.accounts[4].balance_uve == PROVIDER_UVE == 10_000_000
    assert not made.gates.identity
    assert [(r.denom, r.rate) for r in made.take.denom_take_rates] == [("uve", 2)]
