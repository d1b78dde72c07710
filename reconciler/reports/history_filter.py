"""Selects the history of one object, by any of its names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.reports.history import HistoryEntry
from reconciler.values.history import StatusRevision
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.subjects import Subject

_WORKLOAD = re.compile(r"[0-9]+-[0-9]+-[0-9]+-[a-z2-7]{10}")
_HEX = re.compile(r"[0-9A-Fa-f]{7,64}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]*")


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Selects entries by `names` in their lines, by `files` of both branches, or by the prefix of the hash of
    a commit or transaction.
    """

    names: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    hash: str = ""


def filter_of(text: str, address: str, lines: Iterable[str]) -> HistoryFilter:
    """The filter for a workload's id, a lease, an order, a file, or the prefix of a hash. `address` is the
    provider's, which makes a lease of an order; a workload's order is found in the `lines` of status commits.
    """
    if _HEX.fullmatch(text) and not _WORKLOAD.fullmatch(text):
        return HistoryFilter(hash=text.lower())
    name = text.removeprefix("workloads/").removesuffix(".yaml")
    if _WORKLOAD.fullmatch(name):
        return _of(_lease_of(name, address, lines), name)
    subject = Subject.parse(text)
    if subject.order is not None and not (subject.lease or address):
        return HistoryFilter(names=frozenset({text}))
    lease = _lease(subject, address)
    return _of(lease) if lease else HistoryFilter(files=frozenset({text}))


def _lease(subject: Subject, address: str) -> LeaseId | None:
    """The lease, or the one that our bid on the order makes."""
    return subject.lease or (LeaseId(subject.order, address) if subject.order else None)


def _of(lease: LeaseId | None, name: str = "") -> HistoryFilter:
    workload = workload_id(lease) if lease else name
    names = {workload} | ({str(lease), str(lease.order)} if lease else set())
    return HistoryFilter(frozenset(names), frozenset({f"workloads/{workload}.yaml", f"bids/{workload}.yaml"}))


def _lease_of(workload: str, address: str, lines: Iterable[str]) -> LeaseId | None:
    """Found by trial: the id has only a digest of the owner."""
    numbers = "/" + "/".join(workload.split("-")[:3])
    tokens = {t for line in lines if numbers in line for t in _TOKEN.findall(line)}
    leases = (_lease(Subject.parse(token), address) for token in sorted(tokens))
    return next((lease for lease in leases if lease and workload_id(lease) == workload), None)


def matching(entries: Iterable[HistoryEntry], wanted: HistoryFilter) -> Iterator[HistoryEntry]:
    """The matching entries, each with the matching lines only; a commit, and a file that is not of one
    workload, with everything that followed.
    """
    for each in entries:
        if wanted.hash:
            yield from _by_hash(each, wanted.hash)
            continue
        changes_file = bool(wanted.files & set(each.desired.files))
        found = each.status_commits
        if wanted.names or not changes_file:
            found = tuple(_only(found, wanted))
        if changes_file or found:
            yield replace(each, status_commits=found)


def _by_hash(entry: HistoryEntry, prefix: str) -> Iterator[HistoryEntry]:
    if entry.desired.id.startswith(prefix):
        yield entry
        return
    found = tuple(
        commit
        for commit in entry.status_commits
        if any(name.lower().startswith(prefix) for name in (commit.id, *commit.transactions))
    )
    if found:
        yield replace(entry, status_commits=found)


def _only(commits: Iterable[StatusRevision], wanted: HistoryFilter) -> Iterator[StatusRevision]:
    for commit in commits:
        lines = tuple(line for line in commit.lines if wanted.names & set(_TOKEN.findall(line)))
        if lines or any(_without_fan_out(path) in wanted.files for path in commit.files):
            yield replace(commit, lines=lines)


def _without_fan_out(path: str) -> str:
    """`workloads/3f/x.yaml` of the status branch is `workloads/x.yaml` of the desired one."""
    parts = path.split("/")
    return f"{parts[0]}/{parts[2]}" if len(parts) == 3 else path
