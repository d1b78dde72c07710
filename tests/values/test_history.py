"""Parsing of status commits: events, trailers, and lines that only look like trailers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.reports.commit_message import message, trailers
from reconciler.values.history import DesiredRevision, StatusRevision, status_revision
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.plans import Plan
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from tests.journal.facts import STEP, intent, plan

HELD = RevisionVerdict("d" * 40, "Mallory", "Fix\n\nTx-Hash: FAKE", VerdictKind.HELD, "PriceJump: far")


def parsed(text: str) -> StatusRevision:
    return status_revision(DesiredRevision("e" * 40, at=7, message=text, files=("README.md",)))


def written(made: Plan, *events: object) -> str:
    """The message as the daemon writes it."""
    lines = "\n".join(f"{name}: {value}" for name, value in trailers(events, made, 17))  # type: ignore[arg-type]  # any event
    return f"{message(events)}\n\n{lines}\n"  # type: ignore[arg-type]  # any event


def test_a_written_message_is_parsed_back() -> None:
    landed = Confirmation(intent("AB12"), IntentOutcome.LANDED, 17, 5)
    found = parsed(written(replace(plan(), revision_verdict=HELD), STEP, landed))
    assert found.lines == (
        f"Workload {STEP.workload}: Pending -> Deploying, lease accepted",
        "Bid 2446uve a block on order owner/1000001/1/1",
    )
    assert (found.revision, found.held, found.transactions, found.height) == (
        "c0ffee",
        ("d" * 40,),
        ("AB12",),
        17,
    )
    assert len(found.plan_digest) == 64


def test_a_single_event_is_the_subject() -> None:
    assert parsed(written(plan(), STEP)).lines == (
        f"Workload {STEP.workload}: Pending -> Deploying, lease accepted",
    )


def test_without_trailers_the_body_is_the_events() -> None:
    found = parsed("By hand\n\nTx-Hash: AB\nand more")
    assert found.lines == ("Tx-Hash: AB", "and more")
    assert (found.transactions, found.revision) == ((), "")
    assert parsed("Chain-Height: 7").height == 7


@pytest.mark.parametrize("height", ["x", "-1", "1" * 30, "٣"])
def test_a_malformed_height_is_ignored(height: str) -> None:
    assert parsed(f"a\n\nChain-Height: {height}\nDesired-Revision: ab").height in (0, 3)


def test_the_first_line_is_the_subject() -> None:
    assert DesiredRevision("a", message="\nRaise prices\n\nbody").subject == "Raise prices"
    assert DesiredRevision("a").subject == ""
    assert DesiredRevision("a", message=f"Revert\n\nThis reverts commit {'b' * 40}.").reverts == "b" * 40
