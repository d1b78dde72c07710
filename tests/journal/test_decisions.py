"""Why was there no bid on order X: always answered, also after a restart; bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.journal import decisions as module
from reconciler.journal.opening import OpenJournal, open_journal, open_records
from reconciler.values.outcomes import Done, Failed, Refused, Unknown
from reconciler.values.plans import Hold, Reason
from reconciler.values.records import Decision, describe_outcome, message_result
from reconciler.values.subjects import Subject
from tests.journal.facts import BID, LEASE, NOON, hold, plan
from tests.journal.test_cycles import changes_written

ORDER = "owner/9/1/1"


@pytest.fixture
def opened(tmp_path: Path) -> OpenJournal:
    journal = open_journal(tmp_path)
    journal.journal.remember(plan(), NOON - 10_000)
    return journal


def test_a_hold_is_answered_after_a_restart_and_beside_a_running_daemon(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(holds=(hold(),)), NOON)
    expected = Decision(Subject.parse(ORDER), "PriceTooLow", True, hold().message, NOON, NOON)
    assert open_records(tmp_path).decisions(Subject.parse(ORDER)) == (expected,)
    opened.close()
    assert open_records(tmp_path).decisions(Subject.parse(ORDER)) == (expected,)
    assert open_records(tmp_path).decisions(Subject.parse("owner/9")) == (expected,)
    assert open_records(tmp_path).decisions(Subject.parse("owner")) == (expected,)
    assert open_records(tmp_path).decisions(Subject.parse("owne")) == ()
    assert open_records(tmp_path).decisions(Subject.parse("")) == ()
    assert open_records(tmp_path).decisions(Subject.parse("owner/9/1/10")) == ()
    assert open_records(tmp_path).decisions(Subject.parse("owner/")) == ()


def test_an_effect_is_the_newest_word_on_its_subject(opened: OpenJournal) -> None:
    order = str(LEASE.order)
    opened.journal.remember(plan(holds=(hold(order),)), NOON)
    opened.journal.record([message_result(BID, Refused("Late", "the order is closed"), NOON + 5)])
    words = [(d.reason, d.held, d.message) for d in opened.records.decisions(Subject.parse(order))]
    assert words == [
        (
            "CreateBid",
            False,
            "bid 2446uve a block on order owner/1000001/1/1: refused: the order is closed",
        ),
        ("PriceTooLow", True, hold().message),
    ]


def test_a_hold_that_stands_is_refreshed_once_in_a_while(opened: OpenJournal) -> None:
    mine = hold("ours", ours=True)
    opened.journal.remember(plan(holds=(hold(), mine)), NOON)
    before = changes_written(opened)
    opened.journal.remember(plan(holds=(hold(), mine)), NOON + 59)
    assert changes_written(opened) == before
    opened.journal.remember(plan(holds=(hold(), mine)), NOON + 61)
    assert [d.last_seen for d in opened.records.decisions(Subject.parse("ours"))] == [NOON + 61]
    assert [d.last_seen for d in opened.records.decisions(Subject.parse(ORDER))] == [NOON]
    opened.journal.remember(plan(holds=(hold(), mine)), NOON + 601)
    assert [d.last_seen for d in opened.records.decisions(Subject.parse(ORDER))] == [NOON + 601]
    assert [d.first_seen for d in opened.records.decisions(Subject.parse(ORDER))] == [NOON]


def test_new_words_are_written_at_once_and_keep_since_when(opened: OpenJournal) -> None:
    opened.journal.remember(plan(holds=(hold(),)), NOON)
    opened.journal.remember(plan(holds=(hold(message="asks 100uve, costs 2733uve"),)), NOON + 5)
    [found] = opened.records.decisions(Subject.parse(ORDER))
    assert (found.message, found.first_seen, found.last_seen) == (
        "asks 100uve, costs 2733uve",
        NOON,
        NOON + 5,
    )


def test_a_hold_that_comes_back_later_stands_since_then(opened: OpenJournal) -> None:
    opened.journal.remember(plan(holds=(hold(),)), NOON)
    opened.journal.remember(plan(holds=(hold(),)), NOON + 7_000)
    [found] = opened.records.decisions(Subject.parse(ORDER))
    assert found.first_seen == NOON + 7_000


def test_a_hold_that_is_gone_is_over_and_may_come_back(opened: OpenJournal) -> None:
    opened.journal.remember(plan(holds=(hold(),)), NOON)
    opened.journal.remember(plan(), NOON + 30)
    [found] = opened.records.decisions(Subject.parse(ORDER))
    assert (found.ended_at, found.is_active, found.last_seen) == (NOON + 30, False, NOON)
    before = changes_written(opened)
    opened.journal.remember(plan(), NOON + 35)
    assert changes_written(opened) == before, "an end is written once"
    opened.journal.remember(plan(holds=(hold(),)), NOON + 40)
    [found] = opened.records.decisions(Subject.parse(ORDER))
    assert (found.first_seen, found.last_seen, found.ended_at, found.is_active) == (NOON, NOON + 40, 0, True)


def test_what_stood_before_a_restart_ends_after_it(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(holds=(hold(),)), NOON)
    opened.close()
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(), NOON + 90)
    assert [d.ended_at for d in opened.records.decisions(Subject.parse(ORDER))] == [NOON + 90]


def test_holds_do_not_end_while_a_source_is_unavailable(opened: OpenJournal) -> None:
    mine, chain = (
        hold("mine", ours=True),
        Hold(Subject.parse("chain"), Reason.CHAIN_UNSEEN, "no answer", True),
    )
    cluster = Hold(Subject.parse("kubernetes"), Reason.CLUSTER_UNSEEN, "no answer", True)

    def standing() -> set[str]:
        found = ("mine", ORDER, "chain", "kubernetes")
        return {s for s in found for d in opened.records.decisions(Subject.parse(s)) if d.is_active}

    opened.journal.remember(plan(holds=(hold(), mine)), NOON)
    opened.journal.remember(plan(holds=(chain,)), NOON + 5)
    assert standing() == {"mine", ORDER, "chain"}
    opened.journal.remember(plan(holds=(cluster,)), NOON + 10)
    assert standing() == {"mine", "kubernetes"}, "the market is seen again, without the order"
    strange = replace(cluster, reason=Reason.AUTH_FAILURE)
    opened.journal.remember(plan(holds=(cluster, mine)), NOON + 12)
    opened.journal.remember(plan(holds=(strange,)), NOON + 13)
    assert standing() == {"mine", "kubernetes"}, "what hides one hold hides it by whichever word"
    opened.journal.remember(plan(), NOON + 15)
    assert standing() == set()


def test_effects_have_no_end_time(opened: OpenJournal) -> None:
    opened.journal.record([message_result(BID, Done(), NOON)])
    opened.journal.remember(plan(), NOON + 5)
    assert [d.ended_at for d in opened.records.decisions(Subject.parse(str(LEASE)))] == [0]


def test_two_holds_of_one_reason_are_one_decision_of_both(opened: OpenJournal) -> None:
    both = plan(holds=(hold(message="a"), hold(message="b")))
    opened.journal.remember(both, NOON)
    before = changes_written(opened)
    opened.journal.remember(both, NOON + 5)
    assert changes_written(opened) == before
    assert [d.message for d in opened.records.decisions(Subject.parse(ORDER))] == ["a; b"]


def test_odd_file_names_do_not_stop_the_journal(opened: OpenJournal) -> None:
    odd = Hold(Subject.parse("workloads/\udcff.yaml"), Reason.FILE_FAULTY, "bad \udcff", True)
    opened.journal.remember(plan(holds=(odd,)), NOON)
    assert [d.message for d in opened.records.decisions(odd.subject)] == ["bad \\udcff"]


def test_decisions_on_other_orders_are_pruned_before_ours(opened: OpenJournal) -> None:
    opened.journal.remember(plan(holds=(hold(), hold("ours", ours=True))), NOON)
    later = NOON + module.OTHERS_KEPT_SECONDS + 1
    opened.journal.remember(plan(holds=(hold("other"),)), later)
    assert opened.records.decisions(Subject.parse(ORDER)) == ()
    assert len(opened.records.decisions(Subject.parse("ours"))) == 1
    opened.journal.remember(plan(holds=(hold("more"),)), NOON + module.OURS_KEPT_SECONDS + 1)
    assert opened.records.decisions(Subject.parse("ours")) == ()


def test_decisions_are_pruned_others_first_then_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 3)
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(holds=(hold("ours", ours=True), hold("a"))), NOON)
    opened.journal.remember(plan(holds=(hold("b"), hold("c"), hold("d"))), NOON + module.PRUNE_SECONDS)
    [(left,)] = opened.database.rows("SELECT group_concat(subject) FROM decisions")
    assert left == "c,d,ours"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Done(), "done"),
        (Done("x"), "done (x)"),
        (Refused("R", "it is closed", "wait"), "refused: it is closed (wait)"),
        (Failed("F", "no answer"), "failed: no answer"),
        (Unknown("the node hung up"), "not known yet: the node hung up"),
    ],
)
def test_outcomes_are_described(outcome: Done | Refused | Failed | Unknown, words: str) -> None:
    assert describe_outcome(outcome) == words
