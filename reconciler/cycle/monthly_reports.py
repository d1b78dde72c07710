"""The monthly reports to publish: read from the journal once a day of the chain's time."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.ports import Records
from reconciler.reports.monthly_report import monthly_reports
from reconciler.values.times import DAY_SECONDS


class MonthlyReports:
    """The reports of the months of the journal, up to the end of the last whole day in UTC."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._until = 0
        self._reports: Mapping[str, str] = {}

    def at(self, time: int) -> Mapping[str, str]:
        """The reports at a chain time (unix seconds), by path; the same object within a day, or if nothing
        was booked since.
        """
        until = time - time % DAY_SECONDS
        if until > self._until:
            found = monthly_reports(self._records.ledger_sums(until), until)
            self._reports = self._reports if found == self._reports else found
            self._until = until
        return self._reports
