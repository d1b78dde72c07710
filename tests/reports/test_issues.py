"""What needs the operator, the worst first."""

from __future__ import annotations

from dataclasses import replace

from reconciler.reports.issues import ISSUES_MAX, IssueLevel, issues_of
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import CERTIFICATE_EXPIRES, Trouble
from reconciler.values.plans import Reason
from tests.api.snapshots import FAILING, FULL, HEALTHY, hold_view

WELL = replace(FULL, desired=FULL.applied, readings=(), workloads=(HEALTHY,), holds=())


def test_nothing_needs_the_operator() -> None:
    assert issues_of(WELL, ()) == ()


def test_the_worst_comes_first_and_each_says_what_to_do() -> None:
    snapshot = replace(
        WELL,
        desired="e" * 40,
        spending_stopped=True,
        workloads=(HEALTHY, FAILING),
        holds=(
            *(hold_view(f"ve1x/{n}/1/1", Reason.PRICE_TOO_LOW, "low") for n in range(9)),
            hold_view("", Reason.SUSPENDED, "moving house", ours=True),
        ),
    )
    troubles = (
        Trouble(CERTIFICATE_EXPIRES, "c.pem expires soon", "renew it"),
        Trouble("CertificateExpired", "d.pem has expired", "renew it"),
    )
    assert [(issue.level, issue.message) for issue in issues_of(snapshot, troubles)] == [
        (IssueLevel.BAD, "d.pem has expired; renew it"),
        (IssueLevel.BAD, f"{FAILING.id}: no such image; correct the image's name"),
        (IssueLevel.WARN, "spending is stopped; `provider-daemon stop-spending --off` resumes it"),
        (IssueLevel.WARN, "c.pem expires soon; renew it"),
        (IssueLevel.WARN, "commit eeeeeeeeee is not in force; see the holds"),
        (IssueLevel.WARN, "Suspended: moving house"),
    ]


def test_they_are_bounded() -> None:
    many = tuple(replace(FAILING, id=WorkloadId(f"{n}-{FAILING.id}")) for n in range(ISSUES_MAX + 1))
    assert len(issues_of(replace(WELL, workloads=many), ())) == ISSUES_MAX
