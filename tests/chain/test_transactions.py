"""Transactions, held to the recorded ones."""

import pytest
from google.protobuf.any_pb2 import Any as Wrapper

from reconciler.chain.keys import PrivateKey, key_from_words, verify
from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_tx_pb2 import TxRaw
from reconciler.chain.transactions import (
    Signer,
    Terms,
    decode_tx,
    draft_tx,
    hash_of,
    pack_any,
    sign_doc,
    sign_tx,
)
from tests.chain.recordings import Step
from tests.chain.recordings import signed as recorded_signed
from tests.chain.test_keys import WORDS, recorded

TERMS = Terms(gas_limit=200_000, fee=5_000, timeout_height=20, memo="hello")
SIGNER = Signer("virtengine-localnet-1", 4, 7)
MESSAGE = MsgSend(from_address="a", to_address="b", amount=[Coin(denom="uve", amount="1")])


TRIALS = {"no fee", "fee in another denomination", "gas of a send", "another chain's id", "unordered"}
"""Notes of recorded transactions whose like we never make."""


def recorded_signer(step: Step) -> Signer:
    return Signer("virtengine-localnet-1", step.line["account_number"], step.line["sequence"])


def test_recorded_transactions_are_reproduced_byte_by_byte() -> None:
    trials = []
    for step in recorded_signed():
        raw = bytes.fromhex(step.line["tx_hex"])
        was = decode_tx(raw)
        assert hash_of(raw) == step.line["hash"]
        key = PrivateKey(bytes.fromhex(recorded()[step.line["signer"]][1]))
        if sign_tx(was.messages, recorded_signer(step), was.terms, key).raw != raw:
            trials.append(step.line.get("note"))
    assert (len(trials), set(trials)) == (len(TRIALS), TRIALS)


def test_a_transaction_round_trips() -> None:
    key = key_from_words(WORDS["provider"])
    made = sign_tx([MESSAGE], SIGNER, TERMS, key)
    read = decode_tx(made.raw)
    assert (read.messages, read.terms, read.sequence, read.public) == ((MESSAGE,), TERMS, 7, key.public)
    assert made.hash == hash_of(made.raw)


def test_the_signature_is_of_this_chain_account_and_sequence() -> None:
    key = key_from_words(WORDS["provider"])
    tx = TxRaw.FromString(sign_tx([MESSAGE], SIGNER, TERMS, key).raw)
    for other in (Signer("another-1", 4, 7), Signer(SIGNER.chain_id, 5, 7)):
        assert not verify(key.public, sign_doc(tx.body_bytes, tx.auth_info_bytes, other), tx.signatures[0])
    assert verify(key.public, sign_doc(tx.body_bytes, tx.auth_info_bytes, SIGNER), tx.signatures[0])


def test_an_unsigned_transaction_has_the_signed_size() -> None:
    key = key_from_words(WORDS["provider"])
    real, simulated = (
        sign_tx([MESSAGE], SIGNER, TERMS, key).raw,
        draft_tx([MESSAGE], SIGNER, TERMS, key.public),
    )
    assert len(real) == len(simulated)
    tx = TxRaw.FromString(simulated)
    document = sign_doc(tx.body_bytes, tx.auth_info_bytes, SIGNER)
    assert not verify(key.public, document, tx.signatures[0])


def test_a_message_of_an_unknown_type_stays_wrapped() -> None:
    strange = Wrapper(type_url="/cosmos.gov.v1.MsgVote", value=b"\x08\x01")
    raw = sign_tx([MESSAGE], SIGNER, TERMS, key_from_words(WORDS["bob"])).raw
    tx = TxRaw.FromString(raw)
    body = tx.body_bytes + b"\x0a" + bytes([len(strange.SerializeToString())]) + strange.SerializeToString()
    read = decode_tx(TxRaw(body_bytes=body, auth_info_bytes=tx.auth_info_bytes).SerializeToString())
    assert read.messages == (MESSAGE, strange)
    assert pack_any(MESSAGE).type_url == "/cosmos.bank.v1beta1.MsgSend"


def test_invalid_bytes_are_not_a_transaction() -> None:
    with pytest.raises(ValueError, match="not a transaction"):
        decode_tx(b"garbage")
