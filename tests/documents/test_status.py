"""PublishedStatus as files: the same bytes for the same status, and nothing that moves by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import yaml

from reconciler.documents.status import ROWS_MAX, status_files, status_path
from reconciler.documents.yaml_reader import read_yaml
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.observed import State, Trouble
from reconciler.values.plans import Reason
from reconciler.values.views import BidView, HoldView, PublishedStatus, WorkloadView


def lease(dseq: int) -> LeaseId:
    return LeaseId(OrderId("ve1alice", dseq, 1, 1), "ve1us")


def workload(dseq: int) -> WorkloadView:
    return WorkloadView(
        id=workload_id(lease(dseq)),
        lease=str(lease(dseq)),
        adapter="kubernetes",
        state="running",
        lease_state=State.ACTIVE,
        price_uve=Decimal(2446),
    )


WRONG = replace(
    workload(2),
    trouble=Trouble("ImagePullFailed", "no such image | <b>", "push it"),
    addresses=(ServiceAddress("web", AddressKind.PORT, "nodes.example.com", 80, 31080),),
    holds=(HoldView(workload_id(lease(2)), Reason.IMAGE_DENIED, "evil"),),
)
STATUS = PublishedStatus(
    provider="provider",
    address="ve1us",
    chain_id="virtengine-localnet-1",
    revision="a" * 40,
    workloads=(workload(1), WRONG),
    bids=(
        BidView(
            id=str(lease(3)),
            order=str(lease(3).order),
            state=State.OPEN,
            price_uve=Decimal("1.5"),
            deposit_uve=500_000,
        ),
    ),
    holds=(HoldView("repository", Reason.REWRITTEN_HISTORY, "commit b"),),
    faults=("pricing.yaml:1:1: bad",),
)


def test_a_file_for_each_object_of_ours() -> None:
    paths = set(status_files(STATUS))
    assert paths == {
        "README.md",
        "summary.yaml",
        status_path("workloads", workload_id(lease(1))),
        status_path("workloads", workload_id(lease(2))),
        status_path("bids", workload_id(lease(3))),
    }


def test_fan_out() -> None:
    assert status_path("workloads", WorkloadId("1-1-1-aaaaaaaaaa")) == "workloads/e6/1-1-1-aaaaaaaaaa.yaml"


def test_a_workload() -> None:
    content = status_files(STATUS)[status_path("workloads", workload_id(lease(2)))]
    assert yaml.safe_load(content) == {
        "apiVersion": "provider.virtengine.dev/v1alpha1",
        "kind": "WorkloadStatus",
        "id": workload_id(lease(2)),
        "lease": {"owner": "ve1alice", "dseq": 2, "gseq": 1, "oseq": 1, "provider": "ve1us"},
        "adapter": "kubernetes",
        "phase": "Running",
        "lease_state": "active",
        "price": "2446uve",
        "billing": "lease",
        "withdrawn": "0uve",
        "funding": "healthy",
        "addresses": [
            {
                "service": "web",
                "kind": "port",
                "host": "nodes.example.com",
                "port": 80,
                "external_port": 31080,
                "protocol": "TCP",
            }
        ],
        "trouble": {"reason": "ImagePullFailed", "message": "no such image | <b>", "advice": "push it"},
        "holds": [{"subject": workload_id(lease(2)), "reason": "ImageDenied", "message": "evil"}],
    }


def test_a_bid_and_the_summary() -> None:
    files = status_files(STATUS)
    bid = yaml.safe_load(files[status_path("bids", workload_id(lease(3)))])
    assert (bid["price"], bid["deposit"], bid["state"]) == ("1.5uve", "500000uve", "open")
    summary = yaml.safe_load(files["summary.yaml"])
    assert summary["workloads"] == {"running": 2}
    assert summary["applied_revision"] == "a" * 40
    assert summary["faults"] == ["pricing.yaml:1:1: bad"]
    assert "prices" not in summary, "they are in the repository"
    converted = replace(STATUS, prices={"1usd": "40uve", "gpu": "100uve"})
    assert yaml.safe_load(status_files(converted)["summary.yaml"])["prices"] == converted.prices


def test_our_own_reader_reads_every_file() -> None:
    for path, content in status_files(STATUS).items():
        if path.endswith(".yaml"):
            read_yaml(path, content)


def test_the_order_of_objects_changes_no_byte() -> None:
    turned = replace(STATUS, workloads=STATUS.workloads[::-1], bids=STATUS.bids[::-1])
    assert status_files(turned) == status_files(STATUS)


def test_one_change_changes_its_own_file_and_the_tables() -> None:
    before, after = status_files(STATUS), status_files(replace(STATUS, workloads=(workload(1),)))
    assert before.keys() - after.keys() == {status_path("workloads", workload_id(lease(2)))}
    assert {path for path in after if after[path] != before[path]} == {"README.md", "summary.yaml"}


def test_the_readme_lists_faults_first_and_escaped() -> None:
    readme = status_files(STATUS)["README.md"].decode()
    rows = [line for line in readme.splitlines() if line.startswith("| [")]
    assert str(workload_id(lease(2))) in rows[0]
    assert "no such image &#124; &#60;b>; evil" in rows[0]
    assert "`pricing.yaml:1:1: bad`" in readme


def test_the_readme_stays_readable_with_many_workloads() -> None:
    many = replace(STATUS, workloads=tuple(workload(dseq) for dseq in range(ROWS_MAX + 5)))
    readme = status_files(many)["README.md"].decode()
    assert readme.count("| [") == ROWS_MAX
    assert "And 5 more, each in its own file." in readme


def test_the_status_before_the_first_revision() -> None:
    readme = status_files(PublishedStatus("provider", "ve1us", "c", ""))["README.md"].decode()
    assert "applied revision `none`" in readme
    assert "None." in readme
