"""Faults at the ports: which call fails, how, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.chain.node_errors import NodeError
from reconciler.journal.errors import JournalError
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Failed, Unknown
from reconciler.values.readings import Unseen


class Killed(BaseException):
    """The daemon is killed; no `except Exception` catches this."""


class Mode(StrEnum):
    """How a call fails."""

    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    FAIL = "fail"
    LOSE_REPLY = "lose reply"
    HANG = "hang"
    STALE = "stale"


HANG_BLOCKS = 3
"""Blocks that are made while a query of the node hangs, until its deadline."""

EFFECTS = (
    "repo.publish",
    "chain.broadcast",
    "adapter.prepare",
    "adapter.apply",
    "adapter.remove",
    "notifier.notify",
    "journal.remember",
    "journal.record",
    "intents.record_intent",
    "intents.record_end",
    "outbox.mark_published",
    "outbox.store_commit_statuses",
    "forge.set_status",
)
READINGS = (
    "repo.fetch",
    "repo.published_mark",
    "adapter.observe",
    "node",
    "journal.results",
    "intents.open_intents",
)
TARGETS = ("repo", "adapter", "notifier", "forge", "node", "journal", "witness")
"""What may be out of order for a while: all of its calls fail."""

_OUTCOMES = {"publish", "prepare", "apply", "remove"}
_FAILED = Failed("Timeout", "no answer in time", "see what hangs")
_STORES = {"journal", "intents", "outbox", "inbox", "records"}


@dataclass(slots=True)
class Armed:
    """A fault of one call: the `after`-th from now on."""

    call: str
    mode: Mode
    after: int


@dataclass(slots=True)
class Faults:
    """All faults of a world; `pass_blocks` lets time pass while a call hangs."""

    pass_blocks: Callable[[int], None] = lambda _: None
    now: Callable[[], int] = lambda: 0
    armed: list[Armed] = field(default_factory=list)
    outages: dict[str, tuple[int, Mode]] = field(default_factory=dict)
    """Target -> until when (unix seconds of the chain), and how its calls fail."""
    node_failed_at: int = 0
    """When the node last gave no answer."""
    last: dict[str, Any] = field(default_factory=dict)
    """The last answer of each reading, for stale ones."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing fails."""
        return not (self.armed or self.active)

    @property
    def active(self) -> set[str]:
        """The targets that are out of order now."""
        return {target for target, (until, _) in self.outages.items() if self.now() < until}

    def hangs(self, target: str) -> bool:
        """Whether the effects on a target do not return now."""
        until, mode = self.outages.get(target, (0, Mode.FAIL))
        return mode is Mode.HANG and self.now() < until

    def lift(self) -> None:
        """End every fault."""
        self.armed.clear()
        self.outages.clear()

    def mode_of(self, call: str) -> Mode | None:
        """How this call fails, if it does."""
        for each in list(self.armed):
            if each.call != call:
                continue
            if each.after > 0:
                each.after -= 1
                continue
            self.armed.remove(each)
            return each.mode
        port = call.partition(".")[0]
        if port in _STORES and call not in EFFECTS:
            return None  # a full disk can be read
        until, mode = self.outages.get("journal" if port in _STORES else port, (0, Mode.FAIL))
        return mode if self.now() < until else None

    def run(self, call: str, execute: Callable[[], Any]) -> Any:
        """Run one call of a port under the faults."""
        mode = self.mode_of(call)
        port, _, method = call.partition(".")
        match mode:
            case None:
                self.last[call] = execute()
                return self.last[call]
            case Mode.KILL_BEFORE:
                raise Killed
            case Mode.KILL_AFTER:
                execute()
                raise Killed
            case Mode.STALE if call in self.last and method == "observe":
                return self.last[call]
            case Mode.LOSE_REPLY if port not in _STORES:
                execute()
        return failure(port, method)

    def node(self, request: str) -> None:
        """Before a request to the node: NodeError if it gets no answer."""
        del request
        mode = self.mode_of("node")
        if mode is not None:
            self.node_failed_at = self.now()
        if mode in (Mode.KILL_BEFORE, Mode.KILL_AFTER):
            raise Killed
        if mode is Mode.HANG:
            self.pass_blocks(HANG_BLOCKS)
        if mode is not None:
            raise NodeError("127.0.0.1:9090 does not answer: no answer in time")

    def witness(self, request: str) -> None:
        """Before a request to the witness: NodeError if it gets no answer."""
        del request
        if "witness" in self.active:
            raise NodeError("127.0.0.1:9190 does not answer: no answer in time")

    def tap(self, port: str, inner: object) -> Any:
        """The port with its faults."""
        return _TappedPort(port, inner, self)


def failure(port: str, method: str) -> object:
    """What a call returns, or raises, that got no answer."""
    if port in _STORES:
        raise JournalError("the journal cannot be used: database or disk is full")
    if port == "adapter" and method == "observe":
        return AdapterView(Unseen("no answer in time"), Unseen("no answer in time"))
    if port == "repo" and method in ("fetch", "last_fetched", "published_mark"):
        return Unseen("the repository does not answer")
    if port == "repo" and method == "read":
        return {}
    return _FAILED if method in _OUTCOMES else Unknown("no answer in time")


class _TappedPort:
    def __init__(self, name: str, port: object, faults: Faults) -> None:
        self._name, self._port, self._faults = name, port, faults

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._port, method)
        call = f"{self._name}.{method}"

        def tapped(*args: object, **kwargs: object) -> object:
            return self._faults.run(call, lambda: inner(*args, **kwargs))

        object.__setattr__(self, method, tapped)
        return tapped
