"""SIMULATOR: the devnet's accounts; their keys derive from public mnemonics, their coins are worthless."""

from __future__ import annotations

from functools import cache

from reconciler.chain.keys import PrivateKey, key_from_words
from reconciler.devnet.chain.genesis import Gates, Genesis, GenesisAccount, GenesisProvider

CHAIN_ID = "virtengine-devnet-1"
PROVIDER = "provider"
TENANTS = ("alice", "bob")
RIVALS = ("rival", "third")
"""Providers that bid against ours. If two bids lose, the chain refunds only the one with the
lower address (semantics 3.7); the address of `third` is lower than ours.
"""

PROVIDER_UVE = 10_000_000
OTHERS_UVE = 100_000_000_000

_WORDS = {
    "validator": "abandon " * 11 + "about",
    "alice": "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "bob": "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
    "charlie": "zoo " * 11 + "wrong",
    PROVIDER: "test " * 11 + "junk",
    "rival": "all " * 12,
    "third": "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
    "screen patrol group space point ten exist slush involve unfold",
}
"""The recorded network's accounts, in the order of their numbers."""

_SCORES = {PROVIDER: 80, "rival": 85, "third": 80, "alice": 60, "bob": 50, "charlie": 20}

_RECORDS = {
    PROVIDER: {
        "region": "eu-west",
        "tier": "community",
        "capabilities/storage/1/class": "beta2",
        "capabilities/storage/1/persistent": "true",
        "capabilities/gpu/vendor/nvidia/model/a100": "true",
        "billing": "usage",
    },
    "rival": {"region": "us-east"},
    "third": {"region": "eu-west"},
}
"""Providers exist from genesis alone (semantics 1.5)."""


@cache
def key_of(name: str) -> PrivateKey:
    """The key of an account; KeyError if there is no such name."""
    return key_from_words(_WORDS[name])


def names() -> tuple[str, ...]:
    """The names of all accounts, in the order of their numbers."""
    return tuple(_WORDS)


def genesis() -> Genesis:
    """The initial state: accounts, three providers, no gates, a take fee of 2 %."""
    return Genesis(
        chain_id=CHAIN_ID,
        accounts=tuple(
            GenesisAccount(
                key_of(name).address,
                PROVIDER_UVE if name == PROVIDER else OTHERS_UVE,
                score=_SCORES.get(name),
            )
            for name in names()
        ),
        providers=tuple(
            GenesisProvider(key_of(name).address, f"https://{name}.example.com", record)
            for name, record in _RECORDS.items()
        ),
        gates=Gates(identity=False),
    )
