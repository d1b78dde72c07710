"""Observes hosts: one thread for each group runs an observation, repeatedly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from reconciler.adapters.ansible.host_spec import host_request
from reconciler.adapters.ansible.responses import ObservedHost, ReportedWorkload
from reconciler.adapters.ansible.runner import MISSING, SPARE_SECONDS, HostResult, Play, PlayRunner, RunError
from reconciler.adapters.ansible.troubles import host_trouble, sentence
from reconciler.reports.log_lines import EXPLAIN, LogLine, merge_lines
from reconciler.values.adapters import ANSIBLE
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import Trouble

MISSES_MAX = 2
"""A host that answered before may miss one observation."""
DIFFERENCES_SHOWN = 3
JOIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostReading:
    """A host as last observed (None: never), when (monotonic seconds), and why observations failed since."""

    observed: ObservedHost | None = None
    at: float = 0.0
    misses: int = 0
    trouble: Trouble | None = None


class HostObserver:
    """Thread-safe. `name` is the adapter's, for log lines; `changed` is called, from any thread, after an
    observation differs from the last.
    """

    def __init__(
        self, runner: PlayRunner, settings: AnsibleSettings, changed: Callable[[], None], name: str = ANSIBLE
    ) -> None:
        self._runner = runner
        self._settings = settings
        self._changed = changed
        self._name = name
        self._lock = threading.Lock()
        self._readings = {name: HostReading() for name in settings.hosts}
        self._recorded_at: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        self._triggers = {group.name: threading.Event() for group in settings.groups}
        self._first = {group.name: threading.Event() for group in settings.groups}
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name=f"ansible observe {each.name}", daemon=True)
            for each in settings.groups
        ]

    def start(self) -> None:
        """Begin to observe."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads."""
        self._stop.set()
        for trigger in self._triggers.values():
            trigger.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def wait(self, seconds: float) -> None:
        """Until the first observation of each group has succeeded or failed, at most so long."""
        deadline = time.monotonic() + seconds
        for first in self._first.values():
            first.wait(max(deadline - time.monotonic(), 0))

    def trigger(self, host: str) -> None:
        """Observe that host's group now."""
        for group in self._settings.groups:
            if any(each.name == host for each in group.hosts):
                self._triggers[group.name].set()

    def readings(self) -> Mapping[str, HostReading]:
        """By host name; a reading that is too old, or missed too often, has a trouble."""
        with self._lock:
            readings = dict(self._readings)
        now, stale_seconds = time.monotonic(), self._settings.timeouts.stale
        for name, reading in readings.items():
            if reading.observed is None:
                continue
            is_stale = now - reading.at > stale_seconds
            if is_stale and reading.trouble is None:
                message = f"host {name} was last observed {stale_seconds} s ago or earlier"
                stale = Trouble("HostStale", message, "raise timeouts.stale, or see what hangs")
                readings[name] = replace(reading, trouble=stale)
            elif not is_stale and 0 < reading.misses < MISSES_MAX:
                readings[name] = replace(reading, trouble=None)
        return readings

    def record(self, host: str, workload: WorkloadId, observed: ReportedWorkload | None) -> None:
        """Store the result of a job, which is newer than any observation that began before."""
        with self._lock:
            reading = self._readings[host]
            self._recorded_at[host, workload] = time.monotonic()
            if reading.observed is None:
                return
            workloads = {name: each for name, each in reading.observed.workloads.items() if name != workload}
            workloads |= {workload: observed} if observed is not None else {}
            updated = msgspec.structs.replace(reading.observed, workloads=workloads)
            self._readings[host] = replace(reading, observed=updated)
        self._changed()

    def _run(self, group: AnsibleGroup) -> None:
        while not self._stop.is_set():
            self._triggers[group.name].clear()
            try:
                self._observe(group)
            except (
                Exception
            ):  # an internal error must not end the thread; the readings become stale meanwhile
                _log.exception("adapter %s: observation of group %s", self._name, group.name)
            self._first[group.name].set()
            self._triggers[group.name].wait(self._settings.observe_every_seconds)

    def _observe(self, group: AnsibleGroup) -> None:
        """One run for the whole group, in check mode: each host reports its drift."""
        seconds = self._settings.timeouts.observe
        request = host_request("observe", group.engine, self._settings, seconds)
        requests = {host.name: request for host in group.hosts}
        began = time.monotonic()
        try:
            play = Play("observe", group, requests, seconds + SPARE_SECONDS, check_mode=True)
            results = self._runner.run(play)
        except RunError as error:
            results = {name: HostResult("failed", str(error)) for name in requests}
        if self._stop.is_set():
            return
        changed = [self._take(name, results.get(name, MISSING), began) for name in requests]
        if any(changed):
            self._changed()

    def _take(self, host: str, result: HostResult, began: float) -> bool:
        """Store a result; whether the host differs from its last reading."""
        observed: ObservedHost | None = None
        trouble = host_trouble(host, result.message, result.step)
        if result.state == "ok":
            try:
                observed = result.decode(ObservedHost)
            except RunError as error:
                trouble = host_trouble(host, str(error))
        with self._lock:
            before = self._readings[host]
            if observed is None:
                after = replace(before, misses=before.misses + 1, trouble=trouble)
            else:
                after = HostReading(self._merged(host, observed, before, began), began)
            self._readings[host] = after
        _log_trouble(self._name, before.trouble, after.trouble)
        _log_drift(self._name, host, before.observed, after.observed)
        return before.observed != after.observed or before.trouble != after.trouble

    def _merged(self, host: str, observed: ObservedHost, before: HostReading, began: float) -> ObservedHost:
        """The observation, with the results of jobs that ended after it began."""
        newer = [name for (where, name), at in self._recorded_at.items() if where == host and at >= began]
        if not newer or before.observed is None:
            return observed
        known = before.observed.workloads
        workloads = {name: each for name, each in observed.workloads.items() if name not in newer}
        workloads |= {name: known[name] for name in newer if name in known}
        return msgspec.structs.replace(observed, workloads=workloads)


def _log_trouble(adapter: str, before: Trouble | None, after: Trouble | None) -> None:
    """Log a host's trouble once, and its end."""
    if after is not None and before != after:
        _log.warning("adapter %s: %s", adapter, sentence(after))
    elif after is None and before is not None:
        _log.info("adapter %s: resolved: %s", adapter, before.message)


def _log_drift(adapter: str, host: str, before: ObservedHost | None, after: ObservedHost | None) -> None:
    """Log new drift once."""
    known = before.workloads if before else {}
    lines = []
    for name, found in (after.workloads if after else {}).items():
        logged = known[name].differences if name in known else []
        if found.differences and found.differences != logged:
            shown = "; ".join(found.differences[:DIFFERENCES_SHOWN])
            text = f"adapter {adapter}: host {host}: workload {name}: {shown}"
            lines.append(LogLine(("drift", host), name, text, EXPLAIN))
    for line in merge_lines(lines):
        _log.info("%s", line.text)
