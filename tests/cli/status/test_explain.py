"""The `explain` command, with and without a daemon."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.outcomes import Failed
from reconciler.values.plans import Hold, Plan, Reason, Transition
from reconciler.values.records import EffectResult
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.times import utc_text
from tests.api.snapshots import FAILED
from tests.cli.conftest import Terminal
from tests.journal.facts import BID, NOON, intent, plan

ID = workload_id(FAILED)
ORDER = str(FAILED.order)
LOW = Hold(Subject.parse(ORDER), Reason.PRICE_TOO_LOW, "asks 100uve, costs 2446uve")
NO_FILE = Hold(Subject.parse(ID), Reason.NO_WORKLOAD_FILE, "commit its file", ours=True)
STEP = Transition(
    ID, FAILED, Phase.PENDING, Phase.FAILED, "Error condition", "ImagePullFailed: no such image"
)


def record_life(terminal: Terminal) -> None:
    """Records a bid after a hold, a lease, a file missing for a while, and an effect that failed."""
    journal = terminal.journal
    sent = intent("AB" * 32, replace(BID, id=FAILED))
    journal.journal.remember(plan(holds=(LOW,)), NOON)
    journal.intents.record_intent(sent)
    journal.journal.remember(plan(holds=(NO_FILE,)), NOON + 60)
    known = {ID: WorkloadMemory(FAILED, "kubernetes", Phase.FAILED)}
    retry = Retry(3, int(time.time()) + 500, "QuotaExceeded", "exceeded quota", "Increase quotas")
    memory = Memory(workloads=known, retries={EffectKey.parse(f"ApplyWorkload:{ID}"): retry})
    landed = Confirmation(sent, IntentOutcome.LANDED, 12, NOON + 70)
    journal.journal.remember(Plan("c", (), (), (STEP,), memory, confirmations=(landed,)), NOON + 90)
    failed = Failed("QuotaExceeded", "exceeded quota", "Increase quotas")
    journal.journal.record(
        [
            EffectResult(
                EffectKey("ApplyWorkload", Subject.parse(ID)), f"apply workload {ID}", failed, NOON + 91
            )
        ]
    )


def lines(out: str, step: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith(f"{step:<9}  ")]


def test_an_owner_is_explained_by_the_decisions_on_its_orders(terminal: Terminal) -> None:
    record_life(terminal)
    terminal.servers.stop()
    code, out, _ = terminal.run("explain", FAILED.order.owner)
    assert code == 0
    assert LOW.message in out
    assert "done (block 12, transaction ABABABABABAB)" in out


def test_without_a_daemon_the_steps_are_those_of_the_journal(terminal: Terminal) -> None:
    record_life(terminal)
    terminal.servers.stop()
    code, out, _ = terminal.run("explain", ID)
    assert code == 0
    assert lines(out, "order") == [f"order      {ORDER}, of tenant ve1tenant"]
    assert "done (block 12, transaction ABABABABABAB)" in lines(out, "bid")[0]
    assert lines(out, "lease") == [f"lease      active: {FAILED}"]
    assert lines(out, "workload") == [f"workload   failed: {ID}, its file is workloads/{ID}.yaml"]
    assert "failed: exceeded quota (Increase quotas)" in lines(out, "outcome")[0]
    (again,) = lines(out, "next try")
    assert "ApplyWorkload failed 3 times" in again
    assert "in 8m" in again
    first, then, last = (utc_text(NOON + seconds) for seconds in (0, 60, 90))
    assert set(lines(out, "was held")) == {
        f"was held   PriceTooLow: {LOW.message} (from {first} to {then})",
        f"was held   NoWorkloadFile: commit its file (from {then} to {last})",
    }
    assert "ImagePullFailed: no such image" in "".join(lines(out, "event"))
    assert out.endswith("no daemon answers: this is the state after its last cycle\n")


def test_every_id_of_an_object_gives_the_same_explanation(terminal: Terminal) -> None:
    record_life(terminal)
    names = (ID, ORDER, str(FAILED), f"workloads/{ID}.yaml", str(FAILED.order.dseq))
    outputs = {terminal.run("explain", name)[1] for name in names}
    assert len(outputs) == 1


def test_a_daemon_adds_funds_replicas_and_cluster_events(terminal: Terminal) -> None:
    record_life(terminal)
    code, out, _ = terminal.run("explain", ID)
    assert code == 0
    assert "1uve a block, 0uve accrued, 0uve metered, 0uve withdrawn; funds healthy" in lines(out, "lease")[0]
    assert lines(out, "trouble") == ["trouble    ImagePullFailed: no such image; correct the image's name"]
    assert lines(out, "cluster")
    assert "no daemon answers" not in out
    steps = [line[:9].strip() for line in out.splitlines()]
    wanted = ["order", "bid", "lease", "workload", "adapter", "trouble", "cluster", "outcome"]
    assert [step for at, step in enumerate(steps) if step not in steps[:at]][: len(wanted)] == wanted


def test_json_has_the_steps_and_whether_a_daemon_responds(terminal: Terminal) -> None:
    record_life(terminal)
    explained = json.loads(terminal.run("explain", ORDER, "-o", "json")[1])
    ended = {step["step"]: step["until"] is not None for step in explained["steps"]}
    assert (ended["bid"], ended["was held"], explained["daemon_answers"]) == (False, True, True)


def test_a_hold_that_has_not_ended_is_a_held_step(terminal: Terminal) -> None:
    terminal.journal.journal.remember(plan(holds=(LOW,)), NOON)
    out = terminal.run("explain", ORDER)[1]
    assert lines(out, "decision") == [f"decision   PriceTooLow: {LOW.message} (since {utc_text(NOON)})"]
    assert not lines(out, "was held")


def test_a_transaction_is_found_by_a_hash_prefix(terminal: Terminal) -> None:
    record_life(terminal)
    out = terminal.run("explain", "abababab")[1]
    (line,) = lines(out, "sent")
    assert line.startswith(
        f"sent       landed: {'AB' * 32}: bid 2446uve a block on order {ORDER}; fee 12300uve"
    )
    assert "in block 12" in line


def test_a_deployment_number_with_several_orders_is_ambiguous(terminal: Terminal) -> None:
    other = replace(FAILED.order, oseq=FAILED.order.oseq + 1)
    held = tuple(Hold(Subject.parse(str(order)), Reason.NO_PRICE, "no") for order in (FAILED.order, other))
    terminal.journal.journal.remember(plan(holds=held), NOON)
    code, _, err = terminal.run("explain", str(other.dseq))
    assert (code, f"matches {FAILED.order}, {other}" in err) == (1, True)
    assert terminal.run("explain", "999999999")[0] == 1


def test_an_unknown_subject_is_an_error(terminal: Terminal) -> None:
    for name in ("ve1x/7/1/1", "nonsense", "1-1-1-aaaaaaaaaa", "abcdef0123"):
        code, out, err = terminal.run("explain", name)
        assert (code, out) == (1, "")
        assert err.startswith(f"error: nothing is recorded about {name}; ")


def test_other_subjects_have_their_decisions(terminal: Terminal) -> None:
    unseen = Hold(Subject.parse("repository"), Reason.REPOSITORY_UNSEEN, "the remote hung up", ours=True)
    terminal.journal.journal.remember(plan(holds=(unseen,)), NOON)
    assert lines(terminal.run("explain", "repository")[1], "held") == [
        f"held       RepositoryUnseen: the remote hung up (since {utc_text(NOON)})"
    ]
