"""Keys, held to the recorded ones."""

import pytest

from reconciler.chain.keys import (
    PrivateKey,
    address_bytes,
    address_text,
    key_from_words,
    new_words,
    verify,
)
from tests.chain.recordings import every_step, signed

WORDS = {
    "validator": "abandon " * 11 + "about",
    "alice": "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "bob": "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
    "charlie": "zoo " * 11 + "wrong",
    "provider": "test " * 11 + "junk",
    "rival": "all " * 12,
    "third": "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
    "screen patrol group space point ten exist slush involve unfold",
}


def recorded() -> dict[str, tuple[str, str]]:
    heads = (step.line for step in every_step() if "genesis" in step.line)
    return {
        account["name"]: (account["address"], account["private_key_hex"])
        for head in heads
        for account in head["genesis"]["accounts"]
    }


@pytest.mark.parametrize("name", WORDS)
def test_a_mnemonic_gives_the_recorded_key_and_address(name: str) -> None:
    key = key_from_words(WORDS[name])
    assert (key.address, key.secret.hex()) == recorded()[name]


def test_every_recorded_signature_is_reproduced_from_its_key() -> None:
    keys = {name: PrivateKey(bytes.fromhex(secret)) for name, (_, secret) in recorded().items()}
    count = 0
    for step in signed():
        document = bytes.fromhex(step.line["sign_doc_hex"])
        signature = bytes.fromhex(step.line["tx_hex"])[-64:]
        key = keys[step.line["signer"]]
        assert key.sign(document) == signature, step.place
        count += 1
    assert count == 402


def test_a_signature_verifies_only_for_its_message_and_with_a_low_s() -> None:
    key = key_from_words(WORDS["bob"])
    signature = key.sign(b"message")
    assert verify(key.public, b"message", signature)
    assert not verify(key.public, b"massage", signature)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert not verify(key.public, b"message", signature[:32] + high)


def test_a_generated_mnemonic_recovers_its_key() -> None:
    words = new_words()
    assert len(words.split()) == 24
    assert key_from_words(words) == key_from_words("  " + words.upper().replace(" ", "\n"))
    assert words != new_words()


@pytest.mark.parametrize("words", ["", "test test", "test " * 12, "tst " * 11 + "junk"])
def test_a_mistyped_mnemonic_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="mistyped"):
        key_from_words(words)


def test_a_key_does_not_show_its_secret() -> None:
    key = key_from_words(WORDS["bob"])
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)


def test_addresses_round_trip() -> None:
    for address, _ in recorded().values():
        assert address_text(address_bytes(address)) == address


@pytest.mark.parametrize(
    "text", ["", "ve1", "cosmos1qqqqqq", "ve15yk64u7zc9g9k2yr2wmzeva5qgwxps6y605mkz", "VE1x", "alice"]
)
def test_invalid_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        address_bytes(text)
