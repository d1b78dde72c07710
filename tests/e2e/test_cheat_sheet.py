"""Every line of the operator's cheat sheet, word for word, on a running provider; the page lists them all.

Where the sheet says `systemctl`, `journalctl` and `sudo`, small stand-ins answer: see `cheat_world.py`.
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

from reconciler.devnet.probe_git import DESIRED
from tests.e2e.cheat_world import METRICS, Desk, cheat_world

PAGE = Path(__file__).parents[2] / "docs" / "cheat-sheet.md"
OURS = "virtengine query {} --provider $(virtengine keys show provider -a)"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with cheat_world(tmp_path_factory.mktemp("sheet")) as found:
        yield found


def has(*words: str) -> Callable[[str, Desk], None]:
    """Prints all of these, `{web}` standing for the id of the workload."""

    def check(out: str, desk: Desk) -> None:
        for word in words:
            assert word.replace("{web}", desk.stage.workload("web")) in out, out

    return check


def unit_runs(out: str, _: Desk) -> None:
    assert "Active: active (running)" in out


def status(out: str, desk: Desk) -> None:
    told = json.loads(out)
    assert (told["provider"], told["address"]) == ("provider", desk.stage.provider)
    assert (told["counts"]["leases"], told["counts"]["workloads"]["running"]) == (2, 2)
    assert told["money"]["received_uve"] > 0


def leases(out: str, desk: Desk) -> None:
    found = [each["lease"] for each in yaml.safe_load(out)["leases"]]
    assert [x["state"] for x in found] == ["active", "active"]
    assert {str(x["id"]["dseq"]) for x in found} == {
        str(desk.stage.order(name).dseq) for name in ("web", "metered")
    }


def bid_engine(out: str, _: Desk) -> None:
    told = json.loads(out)
    assert (told["bids_open"], told["bids_won_total"]) == (1, 2)
    assert told["bids_total"] == 4
    assert {hold["reason"] for hold in told["holds"]} >= {"PriceTooLow", "NoCapacity"}


def recovered(out: str, _: Desk) -> None:
    assert json.loads(out)["bids_total"] == 4, "totals survive a restart"


def open_bid(out: str, desk: Desk) -> None:
    (bid,) = [each["bid"] for each in yaml.safe_load(out)["bids"]]
    assert (str(bid["id"]["dseq"]), bid["state"]) == (str(desk.stage.order("second").dseq), "open")


def bid_history(out: str, _: Desk) -> None:
    states = sorted(each["bid"]["state"] for each in yaml.safe_load(out)["bids"])
    assert states == ["active", "active", "closed", "open"]


def workloads(out: str, desk: Desk) -> None:
    found = {each["id"]: each["state"] for each in json.loads(out)["items"]}
    assert found == {desk.stage.workload(name): "running" for name in ("web", "metered")}


def use(out: str, desk: Desk) -> None:
    told = json.loads(out)
    assert told["id"] == desk.stage.workload("web")
    assert told["source"] in ("metrics", "requests")
    assert told["cpu_milli"] > 0


def pods(out: str, _: Desk) -> None:
    assert len(re.findall(r"(?m)^\S+ +1/1 +Running ", out)) == 2, out


def accounts(out: str, desk: Desk) -> None:
    found: list[dict[str, Any]] = yaml.safe_load(out)["accounts"]
    ids = {each["id"]["xid"] for each in found}
    assert {desk.stage.subject(name).rsplit("/", 2)[0] for name in ("web", "metered")} <= ids, ids


def account(out: str, desk: Desk) -> None:
    told = yaml.safe_load(out)
    told = told.get("account", told)
    assert told["id"]["xid"] == desk.stage.subject("web").rsplit("/", 2)[0]


def deleted(out: str, desk: Desk) -> None:
    pod = re.findall(r'pod "([^"]+)" (?:force )?deleted', out)[0]
    desk.wait_until(lambda: f"pod {pod} was removed, and not by us" in desk.log(), "the loss in the log")
    desk.wait_until(
        lambda: desk.stage.api.state(desk.stage.workload("web")) == "running", "`web` running again"
    )
    told = desk.type("provider-daemon explain {id}").stdout
    assert f"pod {pod} was removed, and not by us" in told


def spending(stopped: bool) -> Callable[[str, Desk], None]:
    def check(_: str, desk: Desk) -> None:
        desk.wait_until(
            lambda: desk.stage.api.ask("/api/v1/status")["spending_stopped"] is stopped,
            f"spending_stopped: {stopped}",
        )

    return check


def held(reason: str, wanted: bool) -> Callable[[str, Desk], None]:
    """The daemon withholds, or no longer does; a bid is withheld only while there is something to bid on."""

    def check(_: str, desk: Desk) -> None:
        if wanted:
            desk.stage.post("cheap")
        desk.wait_until(
            lambda: (reason in {h["reason"] for h in holds(desk)}) is wanted, f"{reason} held: {wanted}"
        )

    return check


def holds(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.stage.api.ask("/api/v1/plan")["holds"]
    return found


def suspended(out: str, desk: Desk) -> None:
    assert "suspended by commit" in out
    assert "olga: Suspend: the hoster moves racks" in "".join(history(desk))
    held("Suspended", True)(out, desk)


def resumed(out: str, desk: Desk) -> None:
    assert "resumed by commit" in out
    assert "olga: Resume" in "".join(history(desk))
    held("Suspended", False)(out, desk)


def history(desk: Desk) -> list[str]:
    log = desk.type(f"git --git-dir {desk.stage.home.repository} log --format='%an: %s' {DESIRED}")
    return log.stdout.splitlines()


ESCROW = "virtengine query escrow account --account-id <escrow-id>"
SHELL: tuple[tuple[str, Callable[[str, Desk], None]], ...] = (
    ("systemctl status provider-daemon", unit_runs),
    ("curl -s localhost:8443/api/v1/status | jq .", status),
    (OURS.format("market leases"), leases),
    ("provider-daemon status", has("provider   provider", "workload   {web}  running", "2 leases")),
    ("provider-daemon get workloads", has("ID ", "{web}   running   1/1")),
    ("provider-daemon get leases -o wide", has("WORKLOAD", "{web}", "healthy")),
    ("provider-daemon events --since 1h", has("Bid 2446uve", "usage submitted", "Withdrew about", "{web}")),
    ("curl -s localhost:8443/api/v1/bid-engine/status | jq .", bid_engine),
    (OURS.format("market bids") + " --state open", open_bid),
    (OURS.format("market bids") + " --limit 50", bid_history),
    ("provider-daemon get orders -o wide", has("PriceTooLow", "NoCapacity", "bid  ")),
    ("provider-daemon get bids", has("2446uve", "500000uve")),
    ("curl -s localhost:8443/api/v1/workloads | jq .", workloads),
    ("curl -s localhost:8443/api/v1/workloads/{id}/logs", has("web")),
    ("curl -s localhost:8443/api/v1/workloads/{id}/metrics", use),
    (
        "provider-daemon explain {id}",
        has("order  ", "bid        CreateBid: ", "they last ", "Running: {web}", "outcome    ApplyWorkload"),
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
"""Samples that each needs; that a real Prometheus takes the queries is tested elsewhere."""


def lines_of(language: str) -> list[str]:
    blocks = re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE.read_text())
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def test_the_page_lists_what_is_tested_and_nothing_else() -> None:
    assert lines_of("bash") == [line for line, _ in SHELL]
    assert lines_of("promql") == list(PROMQL)


@pytest.mark.parametrize("at", range(len(SHELL)), ids=[line for line, _ in SHELL])
def test_every_line_prints_what_it_should(desk: Desk, at: int) -> None:
    line, check = SHELL[at]
    done = desk.type(line)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    check(done.stdout, desk)


@pytest.mark.parametrize("query", PROMQL)
def test_every_query_finds_its_samples(desk: Desk, query: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics") as answer:
        text = answer.read().decode()
    for sample in PROMQL[query]:
        assert re.search(rf"(?m)^{re.escape(sample)}", text), text


def test_a_deployment_that_fails_is_said_everywhere_with_the_fix(desk: Desk) -> None:
    stage, web = desk.stage, desk.stage.workload("web")
    stage.operator.edit("An image that is not there", stage.workload_path("web"), ("nginx:1.27", "missing:1"))
    desk.wait_until(lambda: trouble(desk, web), "the trouble in the API")
    words = ("ImagePullFailed", "ImagePullBackOff", "Check registry access")
    for line in (
        "provider-daemon status",
        "provider-daemon explain {id}",
        "provider-daemon get workloads -o wide",
    ):
        has(*words)(desk.type(line).stdout, desk)
    assert "cluster    " in desk.type("provider-daemon explain {id}").stdout, "the cluster's own words"
    desk.wait_until(lambda: published(desk, web), "the trouble in the published status")
    assert "ImagePullFailed" in desk.type("journalctl -u provider-daemon | grep -i adapter").stdout


def trouble(desk: Desk, workload: str) -> str:
    found = desk.stage.api.ask(f"/api/v1/workloads/{workload}")["workload"]["trouble"]
    return str(found["advice"]) if found and found["reason"] == "ImagePullFailed" else ""


def published(desk: Desk, workload: str) -> str:
    look = f"grep -h ImagePullFailed status/provider -- '*{workload}.yaml'"
    return desk.type(f"git --git-dir {desk.stage.home.repository} {look}").stdout
