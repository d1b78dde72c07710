from __future__ import annotations

from dataclasses import replace

from reconciler.chain.proto import provider_v1beta4_pb2 as v1
from tests.devnet.chain.players import World, address, genesis

REGISTRATION = v1.MsgCreateProvider(
    owner=address("bob"), host_uri="https://bob.example.com", info={"email": "bob@example.com"}
)


def test_the_default_genesis_allows_no_registration() -> None:
    refused = World().send("bob", REGISTRATION)

    assert (refused.codespace, refused.code) == ("undefined", 1)
    assert refused.log.startswith("no cosmos.msg.v1.signer option found")


def test_a_genesis_may_allow_registration() -> None:
    world = World(replace(genesis(), registration=True))
    done = world.do("bob", REGISTRATION)
    asked = v1.QueryProviderRequest(owner=address("bob")).SerializeToString()
    told = world.chain.query("/virtengine.provider.v1beta4.Query/Provider", asked)

    assert done.outcome.code == 0, done.outcome.log
    assert v1.QueryProviderResponse.FromString(told).provider.host_uri == "https://bob.example.com"
    assert world.do("bob", REGISTRATION).outcome.code != 0
