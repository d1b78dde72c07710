"""The `history` command on the host, which reads the journal."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.reports.plan_json import plan_digest
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from tests.cli.conftest import Terminal
from tests.journal.facts import NOON, plan


def record_verdict(terminal: Terminal, second: int, letter: str, verdict: VerdictKind, **words: str) -> None:
    revision_verdict = RevisionVerdict(letter * 40, "Olga", f"Change {letter}", verdict, **words)
    terminal.journal.journal.remember(replace(plan(), revision_verdict=revision_verdict), NOON + second)


def test_revisions_are_listed_newest_first_with_outcome_and_reason(terminal: Terminal) -> None:
    record_verdict(terminal, 0, "a", VerdictKind.APPLIED)
    record_verdict(terminal, 1, "b", VerdictKind.HELD, why="PriceJump: too far")
    record_verdict(terminal, 2, "c", VerdictKind.APPLIED, reverts="b" * 40)
    record_verdict(terminal, 3, "d", VerdictKind.REFUSED, why="RewrittenHistory: it was")
    digest = plan_digest(plan())[:12]
    code, out, _ = terminal.run("history")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines == [
        "COMMIT OUTCOME AT UNTIL PLAN AUTHOR SUBJECT",
        f"dddddddddddd refused 2027-01-15T08:00:03Z - {digest} Olga Change d",
        "RewrittenHistory: it was",
        f"cccccccccccc in force 2027-01-15T08:00:02Z - {digest} Olga Change c (reverts bbbbbbbbbbbb)",
        f"bbbbbbbbbbbb superseded 2027-01-15T08:00:01Z 2027-01-15T08:00:02Z {digest} Olga Change b",
        "PriceJump: too far",
        f"aaaaaaaaaaaa applied 2027-01-15T08:00:00Z 2027-01-15T08:00:02Z {digest} Olga Change a",
    ]
    newest, *rest = json.loads(terminal.run("history", "-o", "json", "--limit", "2")[1])
    assert len(rest) == 1
    assert (newest["commit"], newest["outcome"], newest["why"], newest["until"]) == (
        "d" * 40,
        "refused",
        "RewrittenHistory: it was",
        None,
    )


def test_without_revisions(terminal: Terminal) -> None:
    assert terminal.run("history")[:2] == (0, "no revision is recorded\n")
