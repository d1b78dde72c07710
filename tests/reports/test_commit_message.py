"""Messages and trailers of status commits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.reports.commit_message import LINES_MAX, SUBJECT_CHARACTERS, message, trailers
from reconciler.reports.events import event_lines
from reconciler.values.desired import CloseReason
from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.lifecycle import Phase
from reconciler.values.messages import CloseBid, CreateBid, Message, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.outcomes import Done, Failed, Refused
from reconciler.values.plans import Plan, Transition
from reconciler.values.records import EffectResult, Event
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from reconciler.values.subjects import EffectKey, Subject
from tests import makers
from tests.cycle.worlds import intent

LEASE = makers.lease_id()
ORDER = LEASE.order
ID = workload_id(LEASE)
APPLY = EffectKey("ApplyWorkload", Subject.parse(ID))


def _step(start: Phase, end: Phase, detail: str = "") -> Transition:
    return Transition(ID, LEASE, start, end, "Deploy success", detail)


SENTENCES: dict[str, Message] = {
    f"Bid 2446uve a block on order {ORDER}": CreateBid(LEASE, Decimal("2446.0"), 500_000, ()),
    f"Closed our bid on order {ORDER}; its deposit was returned": CloseBid(LEASE, CloseReason.UNSPECIFIED),
    f"Closed lease {ID} (decommission)": CloseBid(LEASE, CloseReason.DECOMMISSION, lease=True),
    f"Withdrew about 900uve from lease {ID}": WithdrawLease(LEASE, 900),
    f"usage submitted: 700uve for lease {ID}": RecordUsage(LEASE, 700, 1, 2),
    f"Settled usage of 700uve for order {ORDER}": SettleUsage(ORDER, ("usage-1",), 700),
}


@pytest.mark.parametrize(("sentence", "sent"), SENTENCES.items(), ids=SENTENCES)
def test_a_landed_transaction_has_a_line_per_message(sentence: str, sent: Message) -> None:
    assert event_lines([Confirmation(intent(sent), IntentOutcome.LANDED, 5)]) == [sentence]


def test_a_failed_transaction_states_its_cost() -> None:
    name = intent().hash[:12]
    expired = Confirmation(intent(), IntentOutcome.EXPIRED)
    at_check = Confirmation(intent(), IntentOutcome.REFUSED, log="account rate limited\nstack")
    in_block = Confirmation(intent(), IntentOutcome.REFUSED, 5, code=11, codespace="sdk")

    assert event_lines([expired, at_check, in_block]) == [
        f"Transaction {name} expired unexecuted; nothing was spent",
        f"Transaction {name} was refused, nothing was spent: account rate limited",
        f"Transaction {name} was refused, its fee of 3000uve is spent: sdk/11",
    ]


def test_transitions_have_their_trigger_and_detail() -> None:
    assert event_lines(
        [_step(Phase.PENDING, Phase.PENDING), _step(Phase.DEPLOYING, Phase.FAILED, "OOM")]
    ) == [
        f"Workload {ID} is Pending: deploy success",
        f"Workload {ID}: Deploying -> Failed, deploy success (OOM)",
    ]


def test_repeated_transitions_are_repeated() -> None:
    there, back = _step(Phase.DEPLOYING, Phase.RUNNING), _step(Phase.RUNNING, Phase.PAUSED)

    lines = event_lines([there, back, there])

    assert [line.split(": ")[1].split(",")[0] for line in lines] == [
        "Deploying -> Running",
        "Running -> Paused",
        "Deploying -> Running",
    ]


def test_only_failed_effects_have_lines_once_each() -> None:
    failed = EffectResult(
        APPLY,
        "apply workload x",
        Failed("Forbidden", "403", "allow it"),
        1,
    )
    worked = EffectResult(APPLY, "apply workload x", Done(), 1)
    refused = EffectResult(APPLY, "apply workload x", Refused("Taken", "not ours"), 1)

    assert event_lines([failed, worked, failed, refused]) == [
        "Apply workload x: failed: 403 (allow it)",
        "Apply workload x: refused: not ours",
    ]


def test_the_first_event_is_the_subject_and_all_are_the_body() -> None:
    events: list[Event] = [_step(Phase.PENDING, Phase.DEPLOYING), _step(Phase.DEPLOYING, Phase.RUNNING)]

    subject, blank, *body = message(events).splitlines()

    assert subject.endswith("(and 1 more)")
    assert blank == ""
    assert body == event_lines(events)


def test_a_single_event_is_the_subject() -> None:
    events = [Confirmation(intent(WithdrawLease(LEASE, 900)), IntentOutcome.LANDED, 5)]

    assert message(events) == f"Withdrew about 900uve from lease {ID}"


def test_without_events_the_subject_names_changed_files() -> None:
    assert message([]) == "Status as observed"
    assert message([], ("summary",)) == "Status as observed: summary"
    assert message([], ("a", "summary")) == "Status as observed: a"
    assert message([], ("a", "b", "c", "summary")) == "Status as observed: a, b and 1 more"


def test_a_long_subject_is_truncated_and_complete_in_the_body() -> None:
    long = _step(Phase.DEPLOYING, Phase.FAILED, "x" * 200)

    subject, _, body = message([long]).split("\n")

    assert len(subject) == SUBJECT_CHARACTERS
    assert subject.endswith("…")
    assert body == event_lines([long])[0]


def test_the_number_of_lines_is_limited() -> None:
    events = [_step(Phase.DEPLOYING, Phase.RUNNING, str(n)) for n in range(LINES_MAX + 7)]

    assert message(events).endswith("\n... and 7 more")


def test_trailers_name_revision_plan_height_and_each_transaction_once() -> None:
    plan = Plan("c" * 40, (), (), (), makers.remembered())
    landed = Confirmation(intent(), IntentOutcome.LANDED, 5)

    found = trailers([landed, landed, _step(Phase.PENDING, Phase.DEPLOYING)], plan, 9)

    names = [name for name, _ in found]
    assert names == ["Desired-Revision", "Plan-Digest", "Tx-Hash", "Chain-Height"]
    assert dict(found)["Tx-Hash"] == intent().hash


def test_unknown_values_have_no_trailer() -> None:
    plan = Plan("", (), (), (), makers.remembered())

    assert [name for name, _ in trailers([], plan, 0)] == ["Plan-Digest"]


def test_a_transition_within_a_phase() -> None:
    loss = Transition(ID, LEASE, Phase.RUNNING, Phase.RUNNING, "Pod Web-1 was removed", "another runs")
    assert event_lines([loss]) == [f"Workload {ID} is Running: pod Web-1 was removed; another runs"]


def test_a_superseded_commit_is_reported_and_not_named_as_held() -> None:
    passed_over = RevisionVerdict(
        "b" * 40, "Olga", "Two", VerdictKind.SUPERSEDED, "commit cccccccccccc is newer"
    )
    waits = RevisionVerdict("c" * 40, "Olga", "Three", VerdictKind.HELD, "PriceJump: far")
    found = trailers([passed_over, waits], Plan("a" * 40, (), (), (), makers.remembered()), 0)
    assert [value for name, value in found if name == "Held-Revision"] == ["c" * 40]
    sentence = "Superseded commit bbbbbbbbbbbb by Olga: Two (commit cccccccccccc is newer)"
    assert event_lines([passed_over]) == [sentence]
