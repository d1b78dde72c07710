"""What became of transactions: the one judgement that money is never spent twice on."""

from __future__ import annotations

import pytest

from reconciler.cycle.confirm import confirm
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.observed import TxResult
from reconciler.values.readings import Seen, Unseen
from tests import makers
from tests.cycle.worlds import intent


def _judged(given: Intent, height: int = makers.HEIGHT, *results: TxResult) -> Confirmation | None:
    seen = Seen(makers.market(height=height, tx_results={r.hash: r for r in results}))
    found = confirm([given], seen)
    assert len(found.unknown) + len(found.ended) == 1
    return found.ended[0] if found.ended else None


def _result(given: Intent, code: int, codespace: str = "", log: str = "") -> TxResult:
    return TxResult(given.hash, makers.HEIGHT + 1, code, codespace, log)


def test_while_the_chain_is_unseen_nothing_is_known() -> None:
    found = confirm([intent()], Unseen("down"))

    assert (found.unknown, found.ended) == ((intent(),), ())


def test_a_transaction_in_a_block_has_landed() -> None:
    given = intent()

    assert _judged(given, makers.HEIGHT + 3, _result(given, 0)) == Confirmation(
        given, IntentOutcome.LANDED, makers.HEIGHT + 1, makers.NOW
    )


def test_a_message_that_failed_in_its_block_is_refused_with_the_chains_words() -> None:
    given = intent()

    found = _judged(given, makers.HEIGHT + 3, _result(given, 10, "market", "lease not active"))

    assert found == Confirmation(
        given, IntentOutcome.REFUSED, makers.HEIGHT + 1, makers.NOW, 10, "market", "lease not active"
    )


@pytest.mark.parametrize(
    ("codespace", "code"), [("sdk", 30), ("sdk", 32), ("sdk", 42), ("ratelimit", 1), ("ratelimit", 3)]
)
def test_what_a_block_refused_for_nothing_has_expired(codespace: str, code: int) -> None:
    given = intent()

    found = _judged(given, makers.HEIGHT + 3, _result(given, code, codespace))

    assert found is not None
    assert found.outcome is IntentOutcome.EXPIRED


@pytest.mark.parametrize(("ahead", "ended"), [(0, False), (19, False), (20, False), (21, True)])
def test_it_expires_once_the_height_is_past_its_timeout(ahead: int, ended: bool) -> None:
    """At its timeout height itself it may still be in the block that is made next (semantics 1.2)."""
    found = _judged(intent(timeout_height=makers.HEIGHT + 20), makers.HEIGHT + ahead)

    assert (found is not None) is ended
    assert found is None or found.outcome is IntentOutcome.EXPIRED


def test_a_transaction_that_landed_after_all_has_not_expired() -> None:
    given = intent(timeout_height=makers.HEIGHT + 1)

    found = _judged(given, makers.HEIGHT + 50, _result(given, 0))

    assert found is not None
    assert found.outcome is IntentOutcome.LANDED


def test_each_intent_is_judged_for_itself() -> None:
    first, second = intent(hash="A"), intent(hash="B")
    market = makers.market(tx_results={"B": _result(second, 0)})

    found = confirm([first, second], Seen(market))

    assert found.unknown == (first,)
    assert [each.intent for each in found.ended] == [second]
