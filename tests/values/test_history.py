"""A status commit's sentences and trailers come apart again; what looks like a trailer and is none stays."""

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


def told(text: str) -> StatusRevision:
    return status_revision(DesiredRevision("e" * 40, at=7, message=text, files=("README.md",)))


def written(made: Plan, *events: object) -> str:
    """As the daemon writes it."""
    lines = "\n".join(f"{name}: {value}" for name, value in trailers(events, made, 17))  # type: ignore[arg-type]  # any event
    return f"{message(events)}\n\n{lines}\n"  # type: ignore[arg-type]  # any event


def test_what_the_daemon_writes_is_read_back() -> None:
    landed = Confirmation(intent("AB12"), IntentOutcome.LANDED, 17, 5)
    found = told(written(replace(plan(), judged=HELD), STEP, landed))
    assert found.says == (
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


def test_one_sentence_is_the_subject() -> None:
    assert told(written(plan(), STEP)).says == (
        f"Workload {STEP.workload}: Pending -> Deploying, lease accepted",
    )


def test_a_commit_without_trailers_says_what_it_says() -> None:
    found = told("By hand\n\nTx-Hash: AB\nand more")
    assert found.says == ("Tx-Hash: AB", "and more")
    assert (found.transactions, found.revision) == ((), "")
    assert told("Chain-Height: 7").height == 7


@pytest.mark.parametrize("height", ["x", "-1", "1" * 30, "٣"])
def test_an_odd_height_is_none(height: str) -> None:
    assert told(f"a\n\nChain-Height: {height}\nDesired-Revision: ab").height in (0, 3)


def test_the_first_line_is_the_subject() -> None:
    assert DesiredRevision("a", message="\nRaise prices\n\nbody").subject == "Raise prices"
    assert DesiredRevision("a").subject == ""
    assert DesiredRevision("a", message=f"Revert\n\nThis reverts commit {'b' * 40}.").reverts == "b" * 40
