"""The ports that a cycle works through, gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.ports import (
    Adapter,
    Chain,
    Clock,
    Forge,
    Inbox,
    Intents,
    Journal,
    Notifier,
    Outbox,
    Records,
    Repo,
)
from reconciler.values.desired import Desired
from reconciler.values.limits import Limits


@dataclass(frozen=True, slots=True)
class Store:
    """The journal's five faces."""

    journal: Journal
    intents: Intents
    outbox: Outbox
    inbox: Inbox
    records: Records


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything outside, behind ports. `limits` is asked each cycle, as stop-spending is a file that comes
    and goes. `configure` gets the desired state in force in each cycle, before the adapters are read, and
    adds to `adapters` those that it is the first to name. `publishing` and `sharing` say whether the status
    and the snapshot branch are pushed; `folder` is ours in the repository ("": the top).
    `parse_wait_seconds` is how long a cycle waits for the files of a commit, None: until they are parsed.
    """

    provider: str
    repo: Repo
    chain: Chain
    adapters: Mapping[str, Adapter]
    store: Store
    clock: Clock
    limits: Callable[[], Limits]
    configure: Callable[[Desired], None] = lambda _: None
    notifier: Notifier | None = None
    forge: Forge | None = None
    publishing: bool = True
    sharing: bool = False
    folder: str = ""
    poll_seconds: int = 0
    parse_wait_seconds: float | None = None


EFFECTS: tuple[tuple[str, str], ...] = (
    ("repo", "publish"),
    ("chain", "broadcast"),
    ("adapter", "prepare"),
    ("adapter", "apply"),
    ("adapter", "remove"),
    ("notifier", "tell"),
    ("journal", "remember"),
    ("journal", "record"),
    ("intents", "intend"),
    ("intents", "end"),
    ("outbox", "published"),
    ("outbox", "keep_states"),
    ("forge", "set_state"),
)
"""Every port method that changes something outside the cycle's own thread: where `kill -9` must be survived.
"""
