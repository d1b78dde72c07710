"""Timed ports return and raise as before; failed calls are timed too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import pytest

from reconciler import ports
from reconciler.api.metrics_cycles import calls
from reconciler.runtime.call_timings import CallTimings, TimedChain, TimedRepo
from reconciler.values.ids import LeaseId
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.observed import Market, Transfer
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.readings import Reading, Unseen
from reconciler.values.repository import BranchCommit, Commit
from reconciler.values.subjects import PROVIDER, Subject
from tests.api.fake_sources import INTENT


class Repo:
    """Records its calls."""

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        return Unseen(f"looked {applied}")

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        return Unseen(f"recalled {applied}")

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        return dict.fromkeys(blobs, b"x")

    def published_mark(self, branch: str) -> Reading[str]:
        return Unseen(f"unseen {branch}")

    def publish(self, commit: BranchCommit) -> Outcome:
        raise OSError("the remote hung up")


class Chain:
    """Records its calls."""

    def transfers_between(self, first: int, last: int) -> tuple[Transfer, ...] | None:
        return (Transfer(first, "", "a", "b", last),)

    def forget_height(self) -> None:
        raise OSError("forgotten")

    def observe(
        self, hashes: Sequence[str], known: Sequence[LeaseId], to_confirm: Collection[Subject] = ()
    ) -> Reading[Market]:
        return Unseen(f"{len(hashes)} {len(known)} {len(to_confirm)}")

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        return Done(str(terms.fee))

    def broadcast(self, intent: Intent) -> Outcome:
        return Done(intent.hash)


def test_calls_to_the_repository_are_timed() -> None:
    timed = CallTimings()
    repo: ports.Repo = TimedRepo(Repo(), timed)
    assert repo.fetch("a") == Unseen("looked a")
    assert repo.last_fetched("a") == Unseen("recalled a")
    assert repo.read(["b"]) == {"b": b"x"}
    with pytest.raises(OSError, match="hung up"):
        repo.publish(BranchCommit("b", {}, "m"))
    assert {key: sum(took.counts) for key, took in timed.durations().items()} == {
        ("git", "fetch"): 1,
        ("git", "publish"): 1,
    }


def test_calls_to_the_chain_are_timed() -> None:
    timed = CallTimings()
    chain: ports.Chain = TimedChain(Chain(), timed)
    assert chain.observe(["h"], []) == Unseen("1 0 0")
    assert chain.observe([], [], {PROVIDER}) == Unseen("0 0 1")
    assert chain.transfers_between(1, 2) == (Transfer(1, "", "a", "b", 2),)
    assert chain.prepare([], FeeTerms(7, (), Decimal(1))) == Done("7")
    assert chain.broadcast(INTENT) == Done(INTENT.hash)
    with pytest.raises(OSError, match="forgotten"):
        chain.forget_height()
    [family] = calls(timed)
    counts = {
        (s.labels["source"], s.labels["call"]): s.value for s in family.samples if s.name.endswith("_count")
    }
    assert counts == {
        ("chain", "observe"): 2,
        ("chain", "transfers_between"): 1,
        ("chain", "prepare"): 1,
        ("chain", "broadcast"): 1,
    }
