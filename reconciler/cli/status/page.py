"""The page of `status`, from what the API answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.values.durations import lasting
from reconciler.values.text import printable

ROWS_MAX = 30
"""Workloads and holds that one page lists."""


SWITCHES = {
    "observe_only": "observing only",
    "spending_stopped": "spending is stopped: provider-daemon stop-spending --off",
    "draining": "nothing is bid on, leases go on: provider-daemon drain --off",
}
"""What the machine's owner switched off, with how it goes on."""


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Answers of the routes: status, workloads, and leases by the state of their funds."""

    status: Mapping[str, Any]
    workloads: Mapping[str, Any]
    leases: Mapping[str, Mapping[str, Any]]


def page_lines(page: StatusPage) -> Iterator[str]:
    """The page, line by line; texts of strangers cannot move a terminal's cursor."""
    for line in (*_provider(page.status), *_troubles(page.status), *_work(page), *_holds(page.status)):
        yield printable(line)


def _provider(answer: Mapping[str, Any]) -> Iterator[str]:
    chain, money, counts = answer["chain"], answer["money"], answer["counts"]
    yield f"provider   {answer['provider']}  {answer['address']}"
    yield f"chain      {chain['id']} at height {chain['height']}, {chain['time'] or 'not seen yet'}"
    for what, commit in answer["revisions"].items():
        yield f"{what:<10} {commit[:12] or 'none yet'}"
    yield f"money      {money['balance_uve']}uve in the wallet, {money['deposits_uve']}uve locked in bids"
    yield (
        f"           {money['earned_uve']}uve earned after {money['fees_uve']}uve of fees, "
        f"{money['accrued_uve']}uve accrued on leases"
    )
    open_now = f"{_count(counts['orders_open'], 'order')} open, {_count(counts['bids_open'], 'bid')}"
    yield f"market     {open_now}, {_count(counts['leases'], 'lease')}"
    for switch, word in SWITCHES.items():
        if answer[switch]:
            yield f"           {word}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _troubles(answer: Mapping[str, Any]) -> Iterator[str]:
    for found in answer["troubles"]:
        yield f"trouble    {found['reason']}: {found['message']}; {found['advice']}"
    cycle = answer["cycle"]
    if cycle and cycle["why"]:
        again = f" ({cycle['failures']} in a row)" if cycle["failures"] > 1 else ""
        yield f"cycle      {cycle['outcome']}{again} at {cycle['finished_at']}: {cycle['why']}"
    for reading in answer["readings"]:
        if reading["why"]:
            yield f"unseen     {reading['source']}: {reading['why']}"
    for intent in answer["intents"]:
        yield f"on its way {intent['hash'][:12]}: {'; '.join(intent['messages'])}"


def _work(page: StatusPage) -> Iterator[str]:
    for state, answer in page.leases.items():
        for lease in answer["leases"]:
            yield f"funds      {lease['workload']}  {state}{lasting(lease['funding']['seconds_left'])}"
    rows = sorted(page.workloads["workloads"], key=lambda w: (w["trouble"] is None, w["id"]))
    for each in rows[:ROWS_MAX]:
        yield f"workload   {each['id']}  {each['state']}  {each['price_uve']}uve a block{_trouble(each)}"
    if len(rows) > ROWS_MAX:
        yield f"           and {len(rows) - ROWS_MAX} more: provider-daemon get workloads"


def _trouble(workload: Mapping[str, Any]) -> str:
    if not (found := workload["trouble"]):
        return ""
    advice = f"; {found['advice']}" if found["advice"] else ""
    return f"  {found['reason']}: {found['message']}{advice}"


def _holds(answer: Mapping[str, Any]) -> Iterator[str]:
    for hold in answer["holds"][:ROWS_MAX]:
        yield f"held       {hold['subject'] or 'all'}  {hold['reason']}: {hold['message']}"
    for word, count in sorted(answer["counts"]["holds"].items()):
        yield f"holds      {count} x {word}"
