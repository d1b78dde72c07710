"""A devnet seen from outside: chain, cluster, repository and the daemon's API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.naming import WORKLOAD
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import settlement_v1_pb2
from reconciler.chain.queries import ESCROWS, USAGE, Queries
from reconciler.chain.rpc import Rpc, TxOutcome
from reconciler.chain.settlement_view import escrow_of, records_of
from reconciler.chain.wire_market import bid_of, lease_of
from reconciler.chain.wire_values import uve_in
from reconciler.devnet.cluster.deployments import is_ready
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.operator_git import STATUS, git
from reconciler.devnet.trading import TransactionClient
from reconciler.values.ids import BidId, LeaseId, OrderId
from reconciler.values.observed import Bid, Lease, SettlementEscrow, UsageRecord

PROBE_ERRORS = (DevnetError, NodeError, ApiError)
"""What any question of a probe may raise."""

API_SECONDS = 5
NAMESPACE = "provider-workloads"
KINDS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "services": "/api/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "pods": "/api/v1",
}
"""The kinds of a workload's objects."""

APPLIED_KINDS = ("deployments", "services", "networkpolicies")


@dataclass(frozen=True, slots=True)
class ChainTx:
    """A transaction in a block: the payer of its fee, its messages' names, and its transfers of uve from a
    sender to a recipient, the fee among them.
    """

    height: int
    payer: str
    fee: int
    messages: tuple[str, ...]
    transfers: tuple[tuple[str, str, int], ...]


class Probe:
    """Reads a running devnet; methods raise one of `PROBE_ERRORS`."""

    def __init__(self, home: Home, client: TransactionClient) -> None:
        facts = home.facts()
        self.client = client
        self.api_url = f"http://127.0.0.1:{facts.ports.api}"
        self._rpc = Rpc(f"http://127.0.0.1:{facts.ports.rpc}")
        self._cluster = ApiClient(Kubeconfig(Path(facts.kubeconfig or home.kubeconfig), programs=True))
        self._repository = home.repository
        self._read: list[ChainTx] = []
        self._read_height = 0

    def close(self) -> None:
        """Close the connections."""
        self.client.node.close()
        self._cluster.close()

    def order_state(self, order: OrderId) -> str:
        """`open`, `active` or `closed`; "" where there is no such order."""
        found = Queries(self.client.node).order(order)
        return type(found).State.Name(found.state) if found else ""

    def bid(self, bid: BidId, height: int = 0) -> Bid | None:
        """A bid at a height (0: now)."""
        found = Queries(self.client.node, height).bid(bid)
        return bid_of(found) if found else None

    def lease(self, lease: LeaseId) -> Lease | None:
        """A lease."""
        found = Queries(self.client.node).lease(lease)
        return lease_of(found) if found else None

    def settlement_escrow(self, order: OrderId) -> SettlementEscrow | None:
        """The settlement escrow of an order."""
        request = settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=str(order))
        return next(map(escrow_of, self.client.node.call(ESCROWS, request).escrows), None)

    def usage(self, order: OrderId) -> tuple[UsageRecord, ...]:
        """The usage records of an order."""
        request = settlement_v1_pb2.QueryUsageRecordsByOrderRequest(order_id=str(order))
        return records_of(self.client.node.call(USAGE, request).usage_records)

    def transactions(self) -> tuple[ChainTx, ...]:
        """The transactions of every block; blocks that were read are kept."""
        height = self.client.height()
        while self._read_height < height:
            outcomes = self._rpc.block_results(self._read_height + 1).txs
            self._read_height += 1
            self._read.extend(_chain_tx(self._read_height, each) for each in outcomes)
        return tuple(self._read)

    def pods_ready(self, workload: str) -> tuple[int, int]:
        """A workload's pods that are ready, and all that are not being deleted."""
        pods = [p for p in self._list("pods", workload) if not p["metadata"].get("deletionTimestamp")]
        return sum(map(is_ready, pods)), len(pods)

    def objects(self, workload: str = "") -> tuple[str, ...]:
        """`kind/name` of the objects of one workload, or of all."""
        return tuple(
            f"{kind}/{found['metadata']['name']}" for kind in KINDS for found in self._list(kind, workload)
        )

    def versions(self) -> tuple[str, ...]:
        """The identity and generation of each applied object; any write to one changes it."""
        return tuple(
            f"{found['metadata']['name']} {found['metadata'].get('generation', 0)} {found['metadata']['uid']}"
            for kind in APPLIED_KINDS
            for found in self._list(kind, "")
        )

    def delete_workloads(self) -> None:
        """Delete the objects of all workloads from a cluster that outlives the devnet."""
        for kind in APPLIED_KINDS:
            for found in self._list(kind, ""):
                name, uid = found["metadata"]["name"], found["metadata"]["uid"]
                self._cluster.delete(f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}/{name}", uid)

    def head(self, branch: str) -> str:
        """The branch's newest commit, "" where there is no such branch."""
        return git(self._repository, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()

    def status_messages(self) -> str:
        """All commit messages of the status branch, newest first."""
        return git(self._repository, "log", "--format=%B", STATUS) if self.head(STATUS) else ""

    def log(self, branch: str) -> list[str]:
        """One line a commit, oldest first."""
        return git(self._repository, "log", "--reverse", "--format=%h %an: %s", branch).splitlines()

    def api(self, path: str) -> Any:
        """The JSON that the daemon's API answers."""
        try:
            with urllib.request.urlopen(self.api_url + path, timeout=API_SECONDS) as answer:  # noqa: S310  # our own address
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise DevnetError(f"the daemon answers {path} with {error.code}") from None
        except (OSError, ValueError) as error:
            raise DevnetError(f"the daemon does not answer {path}: {error}") from None

    def api_answers(self) -> bool:
        """Whether a daemon serves the API."""
        try:
            self.api("/healthz")
        except DevnetError:
            return False
        return True

    def hold(self, subject: str, reason: str) -> str:
        """The message of a hold on an order, "" where there is no such hold."""
        return _message(self.api("/api/v1/bid-engine/status")["holds"], subject, reason)

    def files(self, branch: str) -> list[str]:
        """The contents of a branch's files."""
        names = git(self._repository, "ls-tree", "-r", "--name-only", branch).splitlines()
        return [git(self._repository, "show", f"{branch}:{name}") for name in names]

    def missing_file(self, workload: str) -> str:
        """The message of the hold on a workload without a manifest or file, "" if there is none."""
        return _message(self.api(f"/api/v1/workloads/{workload}")["workload"]["holds"], "", "NoManifest")

    def workload_state(self, workload: str) -> str:
        """The workload's phase in lower case, "" where there is no such workload."""
        found = self.api("/api/v1/workloads")["items"]
        return next((str(w["state"]) for w in found if w["id"] == workload), "")

    def applied_revision(self) -> str:
        """The commit in force."""
        return str(self.api("/api/v1/status")["revisions"]["applied"])

    def _list(self, kind: str, workload: str) -> list[dict[str, Any]]:
        query = {"labelSelector": f"{WORKLOAD}={workload}" if workload else WORKLOAD}
        found = json.loads(self._cluster.get(f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}", query))
        items: list[dict[str, Any]] = found.get("items") or []
        return items


def _message(holds: list[dict[str, Any]], subject: str, reason: str) -> str:
    return next(
        (str(h["message"]) for h in holds if h["reason"] == reason and subject in ("", h["subject"])), ""
    )


def _chain_tx(height: int, outcome: TxOutcome) -> ChainTx:
    paid = next((e for e in outcome.events if e.type == "tx" and e.value("fee")), None)
    return ChainTx(
        height=height,
        payer=paid.value("fee_payer") if paid else "",
        fee=uve_in(paid.value("fee")) if paid else 0,
        messages=tuple(
            e.value("action").rpartition(".")[2]
            for e in outcome.events
            if e.type == "message" and e.value("action")
        ),
        transfers=tuple(
            (e.value("sender"), e.value("recipient"), uve_in(e.value("amount")))
            for e in outcome.events
            if e.type == "transfer"
        ),
    )
