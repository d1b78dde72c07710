"""The monthly reports to publish: made from the journal once a day of the chain's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.ports import Records
from reconciler.reports.monthly_report import monthly_report
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.times import DAY_SECONDS, utc_text

Key = tuple[EntryKind, LeaseId | None, DeploymentId | None]


class MonthlyReports:
    """The reports of the months of the journal, up to the end of the last whole day in UTC; reads what was
    booked since, and renders the months that it changes.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._until = 0
        self._reports: Mapping[str, str] = {}
        self._forget()

    def at(self, time: int) -> Mapping[str, str]:
        """The reports at a chain time (unix seconds), by path; the same object within a day, or if nothing
        was booked since.
        """
        until = time - time % DAY_SECONDS
        if until > self._until:
            self._read(until)
            self._until = until
        return self._reports

    def _forget(self) -> None:
        self._row = self._deletions = 0
        self._waiting: list[LedgerEntry] = []
        """Entries of days that are not over."""
        self._sums: dict[str, Counter[Key]] = {}
        self._unfinished: set[str] = set()
        """Months that were not over when their report was rendered."""

    def _read(self, until: int) -> None:
        page = self._records.ledger_after(self._row)
        if page.deletions != self._deletions:
            self._forget()
            page = self._records.ledger_after(0)
        self._row, self._deletions = page.last_row, page.deletions
        entries = [*self._waiting, *page.entries]
        self._waiting = [each for each in entries if each.at >= until]
        this_month = utc_text(until, "%Y-%m")
        changed = {each for each in self._unfinished if each < this_month}
        for each in entries:
            if each.at < until:
                month = utc_text(each.at, "%Y-%m")
                changed.add(month)
                sums = self._sums.setdefault(month, Counter())
                sums[each.kind, each.lease, each.deployment] += each.amount
        if changed:
            rendered = dict(self._render(min(changed), this_month))
            older = {path: text for path, text in self._reports.items() if path < min(rendered)}
            found = older | rendered
            self._reports = self._reports if found == self._reports else found

    def _render(self, first: str, this_month: str) -> Iterator[tuple[str, str]]:
        """The paths and texts of the reports from a month on."""
        balance = 0
        for month, sums in sorted(self._sums.items()):
            if month >= first:
                is_over = month < this_month
                (self._unfinished.discard if is_over else self._unfinished.add)(month)
                entries = [
                    LedgerEntry(0, 0, kind, amount, lease=lease, deployment=deployment)
                    for (kind, lease, deployment), amount in sums.items()
                ]
                yield f"reports/{month}.md", monthly_report(month, entries, balance, is_over=is_over)
            balance += sums.total()
