"""The ports of a cycle."""

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
    Manifests,
    Notifier,
    Outbox,
    Records,
    Repo,
    Wake,
    WorkQueues,
)
from reconciler.values.desired import Desired
from reconciler.values.limits import Limits


@dataclass(frozen=True, slots=True)
class Store:
    """The journal's ports."""

    journal: Journal
    intents: Intents
    outbox: Outbox
    inbox: Inbox
    records: Records


@dataclass(frozen=True, slots=True)
class Environment:
    """All ports of a cycle, and its settings.

    `limits` is called each cycle, as stop-spending is a file. `configure` gets the desired state in force
    before the adapters are read, and starts, changes and ends `adapters`. `publishes_status` and
    `publishes_snapshot` tell whether these branches are pushed; `repository_folder` is the provider's folder
    in the repository ("": its root).
    `fetch_wait_seconds` bounds how long a cycle waits for a read of the repository; None: until it has ended.
    `wake` ends the wait between cycles.
    """

    provider: str
    repo: Repo
    chain: Chain
    adapters: Mapping[str, Adapter]
    store: Store
    queues: WorkQueues
    clock: Clock
    limits: Callable[[], Limits]
    configure: Callable[[Desired], None] = lambda _: None
    notifier: Notifier | None = None
    forge: Forge | None = None
    manifests: Manifests | None = None
    publishes_status: bool = True
    publishes_snapshot: bool = False
    repository_folder: str = ""
    poll_seconds: int = 0
    fetch_wait_seconds: float | None = None
    wake: Wake = lambda: None


EFFECTS: tuple[tuple[str, str], ...] = (
    ("repo", "publish"),
    ("chain", "broadcast"),
    ("adapter", "prepare"),
    ("adapter", "apply"),
    ("adapter", "remove"),
    ("notifier", "notify"),
    ("journal", "remember"),
    ("journal", "record"),
    ("intents", "record_intent"),
    ("intents", "record_end"),
    ("outbox", "mark_published"),
    ("outbox", "store_commit_statuses"),
    ("forge", "set_status"),
)
"""Every port method that writes outside the process, at each of which the daemon must survive `kill -9`; not
`Inbox.take`, as a lost request is sent again by its client, `Manifests.synchronise`, which repeats git's own
steps only, nor methods that change memory alone.
"""
