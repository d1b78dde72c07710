"""Every line of the operator's cheat sheet, verbatim, on a running provider.

`systemctl`, `journalctl` and `sudo` are stand-ins: see `cheat_world.py`.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.devnet.operator_git import DESIRED
from tests.e2e.cheat_world import METRICS, OperatorTerminal, cheat_world

PAGE = Path(__file__).parents[2] / "docs" / "cheat-sheet.md"
OURS = "virtengine query {} --provider $(virtengine keys show provider -a)"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorTerminal]:
    with cheat_world(tmp_path_factory.mktemp("sheet")) as found:
        yield found


def has(*words: str) -> Callable[[str, OperatorTerminal], None]:
    """The output contains all of these; `{web}` is the id of the workload."""

    def check(out: str, terminal: OperatorTerminal) -> None:
        for word in words:
            assert word.replace("{web}", terminal.demo.workload("web")) in out, out

    return check


def unit_runs(out: str, _: OperatorTerminal) -> None:
    assert "Active: active (running)" in out


def status(out: str, terminal: OperatorTerminal) -> None:
    answer = json.loads(out)
    assert (answer["provider"], answer["address"]) == ("provider", terminal.demo.provider)
    assert (answer["counts"]["leases"], answer["counts"]["workloads"]["running"]) == (2, 2)
    assert answer["money"]["received_uve"] > 0


def leases(out: str, terminal: OperatorTerminal) -> None:
    found = [each["lease"] for each in yaml.safe_load(out)["leases"]]
    assert [x["state"] for x in found] == ["active", "active"]
    assert {str(x["id"]["dseq"]) for x in found} == {
        str(terminal.demo.order(name).dseq) for name in ("web", "metered")
    }


def bid_engine(out: str, _: OperatorTerminal) -> None:
    answer = json.loads(out)
    assert (answer["bids_open"], answer["bids_won_total"]) == (1, 2)
    assert answer["bids_total"] == 4
    assert {hold["reason"] for hold in answer["holds"]} >= {"PriceTooLow", "NoCapacity"}


def recovered(out: str, _: OperatorTerminal) -> None:
    assert json.loads(out)["bids_total"] == 4, "totals survive a restart"


def open_bid(out: str, terminal: OperatorTerminal) -> None:
    (bid,) = [each["bid"] for each in yaml.safe_load(out)["bids"]]
    assert (str(bid["id"]["dseq"]), bid["state"]) == (str(terminal.demo.order("second").dseq), "open")


def bid_history(out: str, _: OperatorTerminal) -> None:
    states = sorted(each["bid"]["state"] for each in yaml.safe_load(out)["bids"])
    assert states == ["active", "active", "closed", "open"]


def workloads(out: str, terminal: OperatorTerminal) -> None:
    found = {each["id"]: each["state"] for each in json.loads(out)["items"]}
    assert found == {terminal.demo.workload(name): "running" for name in ("web", "metered")}


def use(out: str, terminal: OperatorTerminal) -> None:
    answer = json.loads(out)
    assert answer["id"] == terminal.demo.workload("web")
    assert answer["source"] in ("metrics", "requests")
    assert answer["cpu_milli"] > 0


def pods(out: str, _: OperatorTerminal) -> None:
    assert len(re.findall(r"(?m)^\S+ +1/1 +Running ", out)) == 2, out


def accounts(out: str, terminal: OperatorTerminal) -> None:
    found: list[dict[str, Any]] = yaml.safe_load(out)["accounts"]
    ids = {each["id"]["xid"] for each in found}
    assert {str(terminal.demo.order(name).deployment) for name in ("web", "metered")} <= ids, ids


def account(out: str, terminal: OperatorTerminal) -> None:
    answer = yaml.safe_load(out)
    answer = answer.get("account", answer)
    assert answer["id"]["xid"] == str(terminal.demo.order("web").deployment)


def deleted(out: str, terminal: OperatorTerminal) -> None:
    pod = re.findall(r'pod "([^"]+)" (?:force )?deleted', out)[0]
    terminal.wait_until(
        lambda: f"pod {pod} was removed by someone else" in terminal.log(), "the loss in the log"
    )
    terminal.wait_until(
        lambda: terminal.demo.probe.workload_state(terminal.demo.workload("web")) == "running",
        "`web` running again",
    )
    answer = terminal.run("provider-daemon explain {id}").stdout
    assert f"pod {pod} was removed by someone else" in answer


def spending(stopped: bool) -> Callable[[str, OperatorTerminal], None]:
    def check(_: str, terminal: OperatorTerminal) -> None:
        terminal.wait_until(
            lambda: terminal.demo.probe.api("/api/v1/status")["spending_stopped"] is stopped,
            f"spending_stopped: {stopped}",
        )

    return check


def held(reason: str, wanted: bool) -> Callable[[str, OperatorTerminal], None]:
    """The daemon has a hold of this reason, or none; a held bid needs an open order."""

    def check(_: str, terminal: OperatorTerminal) -> None:
        if wanted:
            terminal.demo.post("cheap")
        terminal.wait_until(
            lambda: (reason in {h["reason"] for h in holds(terminal)}) is wanted, f"{reason} held: {wanted}"
        )

    return check


def holds(terminal: OperatorTerminal) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = terminal.demo.probe.api("/api/v1/plan")["holds"]
    return found


def suspended(out: str, terminal: OperatorTerminal) -> None:
    assert "suspended by commit" in out
    assert "olga: Suspend: the hoster moves racks" in "".join(history(terminal))
    held("Suspended", True)(out, terminal)


def resumed(out: str, terminal: OperatorTerminal) -> None:
    assert "resumed by commit" in out
    assert "olga: Resume" in "".join(history(terminal))
    held("Suspended", False)(out, terminal)


def history(terminal: OperatorTerminal) -> list[str]:
    log = terminal.run(f"git --git-dir {terminal.demo.home.repository} log --format='%an: %s' {DESIRED}")
    return log.stdout.splitlines()


ESCROW = "virtengine query escrow account --account-id <escrow-id>"
SHELL: tuple[tuple[str, Callable[[str, OperatorTerminal], None]], ...] = (
    ("systemctl status provider-daemon", unit_runs),
    ("curl -s localhost:8443/api/v1/status | jq .", status),
    (OURS.format("market leases"), leases),
    ("provider-daemon status", has("provider   provider", "workload   {web}  running", "2 leases")),
    ("provider-daemon get workloads", has("ID ", "{web}   running   1/1")),
    ("provider-daemon get leases -o wide", has("WORKLOAD", "{web}", "FUNDS")),
    ("provider-daemon events --since 1h", has("Bid 2446uve", "usage submitted", "Withdrew about", "{web}")),
    ("curl -s localhost:8443/api/v1/bid-engine/status | jq .", bid_engine),
    (OURS.format("market bids") + " --state open", open_bid),
    (OURS.format("market bids") + " --limit 50", bid_history),
    ("provider-daemon get orders -o wide", has("PriceTooLow", "NoCapacity", "bid  ")),
    ("provider-daemon get bids", has("2,446uve", "500,000uve")),
    ("curl -s localhost:8443/api/v1/workloads | jq .", workloads),
    ("curl -s localhost:8443/api/v1/workloads/{id}/logs", has("web")),
    ("curl -s localhost:8443/api/v1/workloads/{id}/metrics", use),
    (
        "provider-daemon explain {id}",
        has("order  ", "bid        CreateBid: ", "they last ", "running: {web}", "outcome    ApplyWorkload"),
    ),
    ("kubectl get pods -n provider-workloads -o wide", pods),
    ("kubectl describe resourcequota -n provider-workloads", has("requests.cpu", "Used")),
    (OURS.format("escrow accounts"), accounts),
    (ESCROW, account),
    ('journalctl -u provider-daemon | grep "usage submitted"', has("usage submitted: ")),
    ("journalctl -u provider-daemon -n 100 | grep -i bid", has("bid")),
    ("sudo systemctl restart provider-daemon", lambda out, _: None),
    ("curl -s localhost:8443/api/v1/bid-engine/status", recovered),
    ("journalctl -u provider-daemon | grep -i adapter", has("adapter kubernetes: apply workload {web}")),
    ("kubectl get events -n provider-workloads --sort-by=.lastTimestamp", has("LAST SEEN", "Started")),
    ("kubectl delete pod <pod-name> -n provider-workloads", deleted),
    (ESCROW, account),
    ("provider-daemon stop-spending", spending(True)),
    ("provider-daemon stop-spending --off", spending(False)),
    ("provider-daemon drain", held("Draining", True)),
    ("provider-daemon drain --off", held("Draining", False)),
    ('provider-daemon suspend "the hoster moves racks"', suspended),
    ("provider-daemon resume", resumed),
    ("provider-daemon reconcile", has("requested; ")),
    ("kubectl cluster-info", has("is running at")),
    ("kubectl get all -n provider-workloads", has("deployment.apps/", "pod/", "replicaset.apps/")),
    ("kubectl logs <pod-name> -n provider-workloads", has("web")),
)
PROMQL: dict[str, tuple[str, ...]] = {
    "virtengine_provider_active_leases": ("virtengine_provider_active_leases 2.0",),
    "rate(virtengine_bid_success_total[1h]) / rate(virtengine_bid_total[1h])": (
        "virtengine_bid_success_total 2.0",
        "virtengine_bid_total ",
    ),
    'virtengine_provider_workloads{state="running"}': ('virtengine_provider_workloads{state="running"} 2.0',),
    "sum(rate(virtengine_escrow_settlement_amount[1d]))": ("virtengine_escrow_settlement_amount ",),
}
"""The samples that each query needs; another test runs the queries on a real Prometheus."""


def lines_of(language: str) -> list[str]:
    blocks = re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE.read_text())
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def test_the_page_lists_exactly_the_tested_lines() -> None:
    assert lines_of("bash") == [line for line, _ in SHELL]
    assert lines_of("promql") == list(PROMQL)


@pytest.mark.parametrize("at", range(len(SHELL)), ids=[line for line, _ in SHELL])
def test_output_of_every_line(terminal: OperatorTerminal, at: int) -> None:
    line, check = SHELL[at]
    done = terminal.run(line)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    check(done.stdout, terminal)


@pytest.mark.parametrize("query", PROMQL)
def test_every_query_has_its_samples(terminal: OperatorTerminal, query: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics") as answer:
        text = answer.read().decode()
    for sample in PROMQL[query]:
        assert re.search(rf"(?m)^{re.escape(sample)}", text), text


def test_a_failed_deployment_is_reported_everywhere_with_advice(terminal: OperatorTerminal) -> None:
    demo, web = terminal.demo, terminal.demo.workload("web")
    demo.operator.edit("An image that is not there", demo.workload_path("web"), ("nginx:1.27", "missing:1"))
    terminal.wait_until(lambda: trouble(terminal, web), "the trouble in the API")
    words = ("ImagePullFailed", "ImagePullBackOff", "Check registry access")
    for line in (
        "provider-daemon status",
        "provider-daemon explain {id}",
        "provider-daemon get workloads -o wide",
    ):
        has(*words)(terminal.run(line).stdout, terminal)
    assert "cluster    " in terminal.run("provider-daemon explain {id}").stdout, "the cluster's own words"
    terminal.wait_until(lambda: published(terminal, web), "the trouble in the published status")
    assert "ImagePullFailed" in terminal.run("journalctl -u provider-daemon | grep -i adapter").stdout


def trouble(terminal: OperatorTerminal, workload: str) -> str:
    found = terminal.demo.probe.api(f"/api/v1/workloads/{workload}")["workload"]["trouble"]
    return str(found["advice"]) if found and found["reason"] == "ImagePullFailed" else ""


def published(terminal: OperatorTerminal, workload: str) -> str:
    look = f"grep -h ImagePullFailed status/provider -- '*{workload}.yaml'"
    return terminal.run(f"git --git-dir {terminal.demo.home.repository} {look}").stdout
