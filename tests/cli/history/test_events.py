"""The `events` command, which reads the journal."""

from __future__ import annotations

import json

from reconciler.values.outcomes import Done
from reconciler.values.records import EffectResult
from reconciler.values.subjects import EffectKey
from reconciler.values.times import utc_text
from tests.cli.conftest import Terminal
from tests.journal.facts import LEASE, NOON, STEP, plan

EFFECT = EffectResult(
    EffectKey.parse("ApplyWorkload:w"),
    "apply workload w on kubernetes: leased, not deployed",
    Done(),
    NOON + 60,
)


def record_events(terminal: Terminal) -> None:
    terminal.journal.journal.remember(plan(transitions=(STEP,)), NOON)
    terminal.journal.journal.record([EFFECT])


def test_events_are_listed_newest_last(terminal: Terminal) -> None:
    record_events(terminal)
    terminal.servers.stop()
    code, out, _ = terminal.run("events")
    assert code == 0
    assert out.splitlines() == [
        f"{utc_text(NOON)}  Transition   Workload {STEP.workload}: Pending -> Deploying, lease accepted",
        f"{utc_text(NOON + 60)}  Effect       Apply workload w on kubernetes: leased, not deployed: done",
    ]


def test_since_and_limit_select_events(terminal: Terminal) -> None:
    record_events(terminal)
    assert terminal.run("events", "--since", utc_text(NOON + 1))[1].count("\n") == 1
    assert "Apply workload" in terminal.run("events", "--limit", "1")[1]
    assert terminal.run("events", "--since", utc_text(NOON + 61))[1].startswith(
        "no events are recorded since"
    )
    assert terminal.run("events", "--since", "whenever")[0] == 64


def test_json_has_the_subjects(terminal: Terminal) -> None:
    record_events(terminal)
    first, _ = json.loads(terminal.run("events", "-o", "json")[1])
    assert (first["kind"], first["subjects"]) == ("Transition", [STEP.workload, str(LEASE)])
