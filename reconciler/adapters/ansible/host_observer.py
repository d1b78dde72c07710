"""What the adapter sees: one thread for each group looks at its hosts, again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from reconciler.adapters.ansible.answers import HostWorkloadAnswer, LookAnswer
from reconciler.adapters.ansible.host_spec import asking
from reconciler.adapters.ansible.runs import HostAnswer, Play, Player, RunError
from reconciler.adapters.ansible.troubles import host_trouble, sentence
from reconciler.documents.typed_json import decode_json
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import Trouble

MISSES_MAX = 2
"""A host that answered before may miss one look."""
SPARE_SECONDS = 10
DIFFERENCES_SHOWN = 3
END_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostReading:
    """A host as last seen (None: never), when (monotonic seconds), and why a look failed since."""

    look: LookAnswer | None = None
    at: float = 0.0
    misses: int = 0
    trouble: Trouble | None = None


class HostObserver:
    """Thread-safe. `changed` is called, from any thread, after something looks otherwise than before."""

    def __init__(self, runs: Player, settings: AnsibleSettings, changed: Callable[[], None]) -> None:
        self._runs = runs
        self._settings = settings
        self._changed = changed
        self._lock = threading.Lock()
        self._hosts = {name: HostReading() for name in settings.hosts}
        self._touched: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        self._pokes = {group.name: threading.Event() for group in settings.groups}
        self._first = {group.name: threading.Event() for group in settings.groups}
        self._threads = [
            threading.Thread(
                target=self._watch, args=(group,), name=f"ansible look {group.name}", daemon=True
            )
            for group in settings.groups
        ]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        for poke in self._pokes.values():
            poke.set()
        for thread in self._threads:
            thread.join(END_SECONDS)

    def wait(self, seconds: float) -> None:
        """Until each group was looked at once, with success or without, or so long."""
        ends = time.monotonic() + seconds
        for first in self._first.values():
            first.wait(max(ends - time.monotonic(), 0))

    def poke(self, host: str) -> None:
        """Look at that host's group at once."""
        for group in self._settings.groups:
            if any(each.name == host for each in group.hosts):
                self._pokes[group.name].set()

    def hosts(self) -> Mapping[str, HostReading]:
        """Each host as it is known; what is too old, or was missed too often, has its trouble."""
        with self._lock:
            held = dict(self._hosts)
        now, stale = time.monotonic(), self._settings.patience.stale
        for name, seen in held.items():
            if seen.look is not None and seen.trouble is None and now - seen.at > stale:
                words = f"was last seen {stale} s ago or more"
                old = Trouble("HostStale", f"host {name} {words}", "raise timeouts.stale, or see what hangs")
                held[name] = replace(seen, trouble=old)
            elif seen.look is not None and 0 < seen.misses < MISSES_MAX and now - seen.at <= stale:
                held[name] = replace(seen, trouble=None)
        return held

    def learn(self, host: str, workload: WorkloadId, answer: HostWorkloadAnswer | None) -> None:
        """What a job left there, which is newer than any look that began before."""
        with self._lock:
            seen = self._hosts[host]
            self._touched[host, workload] = time.monotonic()
            if seen.look is None:
                return
            others = {name: each for name, each in seen.look.workloads.items() if name != workload}
            workloads = others | ({workload: answer} if answer is not None else {})
            look = msgspec.structs.replace(seen.look, workloads=workloads)
            self._hosts[host] = replace(seen, look=look)
        self._changed()

    def _watch(self, group: AnsibleGroup) -> None:
        while not self._stop.is_set():
            self._pokes[group.name].clear()
            try:
                self._look(group)
            except Exception:  # a fault of ours must not end the thread; the hosts grow stale meanwhile
                _log.exception("adapter ansible: the look at group %s", group.name)
            self._first[group.name].set()
            self._pokes[group.name].wait(self._settings.look_every)

    def _look(self, group: AnsibleGroup) -> None:
        """One run for all of them, in check mode: the hosts say what it would repair."""
        patience = self._settings.patience
        order = asking("tend", group.engine, self._settings, patience.look)
        orders = {host.name: order for host in group.hosts}
        began = time.monotonic()
        try:
            play = Play("look", group, orders, patience.look + SPARE_SECONDS, checking=True)
            answers = self._runs.run(play)
        except RunError as why:
            answers = {name: HostAnswer("failed", str(why)) for name in orders}
        if self._stop.is_set():
            return
        news = [self._take(name, answers.get(name), began) for name in orders]
        if any(news):
            self._changed()

    def _take(self, host: str, answer: HostAnswer | None, began: float) -> bool:
        """Whether that host looks otherwise than before."""
        answer = answer or HostAnswer("failed", "the run said nothing about it")
        look: LookAnswer | None = None
        trouble = host_trouble(host, answer.words, answer.step)
        if answer.state == "ok":
            try:
                look = decode_json(answer.answer, LookAnswer)
            except msgspec.MsgspecError as why:
                trouble = host_trouble(host, f"answered what cannot be read: {why}")
        with self._lock:
            before = self._hosts[host]
            if look is None:
                self._hosts[host] = replace(before, misses=before.misses + 1, trouble=trouble)
            else:
                self._hosts[host] = HostReading(self._merged(host, look, before, began), began)
            after = self._hosts[host]
        self._log(before, after)
        _log_drift(host, before.look, after.look)
        return before.look != after.look or before.trouble != after.trouble

    def _merged(self, host: str, look: LookAnswer, before: HostReading, began: float) -> LookAnswer:
        """The look, but what a job touched after it began as the job left it."""
        newer = [name for (where, name), at in self._touched.items() if where == host and at >= began]
        if not newer or before.look is None:
            return look
        known = before.look.workloads
        kept = {name: each for name, each in look.workloads.items() if name not in newer}
        kept |= {name: known[name] for name in newer if name in known}
        return msgspec.structs.replace(look, workloads=kept)

    def _log(self, before: HostReading, after: HostReading) -> None:
        """A host's trouble is said once, and its end."""
        if after.trouble is not None and before.trouble != after.trouble:
            _log.warning("adapter ansible: %s", sentence(after.trouble))
        elif after.trouble is None and before.trouble is not None:
            _log.info("adapter ansible: the trouble is over: %s", before.trouble.message)


def _log_drift(host: str, before: LookAnswer | None, after: LookAnswer | None) -> None:
    """What differs on a host is said once, in the words of its check."""
    known = before.workloads if before else {}
    for name, found in (after.workloads if after else {}).items():
        told = known[name].differences if name in known else []
        if found.differences and found.differences != told:
            shown = "; ".join(found.differences[:DIFFERENCES_SHOWN])
            _log.info("adapter ansible: host %s: workload %s: %s", host, name, shown)
