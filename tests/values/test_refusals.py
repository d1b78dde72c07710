"""Words of refusal, as recorded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.values.refusals import read_refusal
from tests.chain.recordings import every_step, transcript


def test_the_message_index_is_separated_from_the_text() -> None:
    refusal = read_refusal(transcript("market-lifecycle")[37].line["grpc_message"])
    assert (refusal.index, refusal.words) == (0, "bid price above max order price")


def test_a_sequence_mismatch_gives_the_expected_sequence() -> None:
    refusal = read_refusal(transcript("market-lifecycle")[38].line["grpc_message"])
    assert (refusal.index, refusal.sequence) == (-1, (0, 99))


def test_a_gate_is_recognized_in_check_and_simulation() -> None:
    logs = [step.line["check"]["log"] for step in transcript("gates-identity") if "check" in step.line]
    refusals = [read_refusal(log) for log in logs if log]
    assert refusals
    assert all(refusal.gated for refusal in refusals)
    simulated = transcript("gates-default-genesis")[9].line["grpc_message"]
    assert read_refusal(simulated).words == (
        "MFA required for medium_withdrawal. Required factors: fido2 or totp: MFA verification required"
    )


def test_an_insufficient_fee_gives_the_required_price() -> None:
    logs = [step.line["check"].get("log", "") for step in every_step() if "check" in step.line]
    told = [log for log in logs if "insufficient fee" in log]
    assert told
    assert {read_refusal(log).gas_price_needed(200_000) for log in told} == {Decimal("0.025")}
    sdk = "insufficient fees; got: 100uve required: 5000uve: insufficient fee"
    assert read_refusal(sdk).gas_price_needed(200_000) == Decimal("0.025")
    assert read_refusal("bid exists").gas_price_needed(200_000) is None


def test_a_panic_is_its_first_line() -> None:
    results = [step.line["result"] for step in every_step() if step.line.get("result")]
    panics = [read_refusal(result["log"]) for result in results if result["code"] == 111222]
    assert panics
    for refusal in panics:
        assert refusal.words.startswith("recovered: ")
        assert "\n" not in refusal.words
        assert refusal.index == -1


@pytest.mark.parametrize(
    ("log", "which"),
    [
        ("block height: 6, timeout height: 2: tx timeout height", "timed_out"),
        ("out of gas in location: ReadFlat; gasWanted: 1, gasUsed: 2: out of gas", "out_of_gas"),
        ("spendable balance 1uve is smaller than 2uve: insufficient funds", "short_of_money"),
        ("tx already exists in cache", "in_cache"),
    ],
)
def test_account_errors_concern_the_whole_transaction(log: str, which: str) -> None:
    refusal = read_refusal(log)
    assert getattr(refusal, which)
    assert refusal.index == -1
    others = {"timed_out", "out_of_gas", "short_of_money", "in_cache", "gated"} - {which}
    assert not any(getattr(refusal, other) for other in others)


@pytest.mark.parametrize(
    "words", ["usage record u already settled: usage already settled", "no usage to settle: x"]
)
def test_a_lost_race_for_a_settlement_does_not_refuse_the_next_one(words: str) -> None:
    assert not read_refusal(f"failed to execute message; message index: 0: {words}").permanent


def test_a_second_bid_can_never_succeed() -> None:
    assert read_refusal("failed to execute message; message index: 0: bid exists").permanent
