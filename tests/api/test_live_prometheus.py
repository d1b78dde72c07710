"""A real Prometheus scrapes a provider on a devnet, and the operator's queries give numbers."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.values.ids import LeaseId, workload_id
from tests.api.test_monitoring import DOCS, dashboard_queries
from tests.e2e.processes import RunningCommand, daemon, devnet, run

pytestmark = pytest.mark.live

SHEET = (
    "virtengine_provider_active_leases",
    "rate(virtengine_bid_success_total[1h]) / rate(virtengine_bid_total[1h])",
    'virtengine_provider_workloads{state="running"}',
    "sum(rate(virtengine_escrow_settlement_amount[1d]))",
)
MISSING = "{} is not here: apt-get install prometheus"


def program(name: str) -> str:
    """A program of Debian's package `prometheus`; the test fails without it, and says so."""
    found = shutil.which(name)
    assert found, MISSING.format(name)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """A Prometheus that scrapes a target each second with our rules; yields a way to ask it."""
    port = free_port()
    shutil.copy(DOCS / "alerts.yml", directory / "alerts.yml")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "provider", "static_configs": [{"targets": [target]}]}],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        program("prometheus"),
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(query: str) -> list[dict[str, Any]]:
        where = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(where, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(30)


def number(answer: list[dict[str, Any]]) -> float:
    """The one number of an answer; not a number where there is none."""
    return float(answer[0]["value"][1]) if len(answer) == 1 else float("nan")


def tenant(home: Path, *words: str) -> dict[str, Any]:
    """What a tenant did, as JSON."""
    done = run("devnet", "tenant", *words, "--home", str(home), "-o", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_alert_rules_fire_as_intended() -> None:
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = subprocess.run(
            [program("promtool"), *words], cwd=DOCS, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_queries_are_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{n}", "expr": query.replace("$instance", ".*")}
        for n, query in enumerate(dashboard_queries())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documented_queries_give_numbers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with devnet(home, "--block-seconds", "0.25", "--due-seconds", "4") as facts:
        target = facts["metrics"].removeprefix("http://").removesuffix("/metrics")
        with daemon(Path(facts["host"])) as process, prometheus(tmp_path, target) as ask:
            process.wait_until(lambda: ask("up == 1"), "the first scrape")
            process.wait_until(lambda: number(ask("virtengine_bid_total")) == 0, "the counter's beginning")
            _earn(home, ask, process)
            values = {query: number(ask(query)) for query in SHEET}
            assert values[SHEET[0]] == 1
            assert 0 < values[SHEET[1]] <= 1
            assert values[SHEET[2]] == 1
            assert values[SHEET[3]] > 0
            assert ask('count(ALERTS{severity="page"})') == []
            print(json.dumps(values, indent=1))


def _earn(home: Path, ask: Callable[[str], list[dict[str, Any]]], process: RunningCommand) -> None:
    """An order, our bid, its lease, its workload, and a withdrawal."""
    made = tenant(home, "order", "--price", "4000")
    process.wait_until(lambda: number(ask("virtengine_bid_total")) >= 1, "our bid")
    lease = tenant(home, "accept", str(made["dseq"]))["lease"]
    process.wait_until(lambda: number(ask("virtengine_bid_success_total")) >= 1, "our lease")
    _commit_workload(home, lease)
    process.wait_until(lambda: number(ask(SHEET[2])) == 1, "its workload")
    before = number(ask("virtengine_escrow_settlement_amount"))
    process.wait_until(lambda: number(ask("virtengine_escrow_settlement_amount")) > before, "a withdrawal")
    process.wait_until(lambda: number(ask(SHEET[3])) > 0, "its rate")


WORKLOAD = """\
apiVersion: provider.virtengine.dev/v1alpha1
kind: Workload
lease: {{owner: {owner}, dseq: {dseq}, gseq: {gseq}, oseq: {oseq}}}
adapter: kubernetes
services:
  - name: web
    image: docker.io/library/nginx:1.27
    resources: {{cpu: 1000m, memory: 1024Mi, storage: 1024Mi}}
"""


def _commit_workload(home: Path, lease: str) -> None:
    """What its operator writes for the lease."""
    found = LeaseId.parse(lease)
    clone = home / "clone"
    _git("clone", "-q", str(home / "state.git"), str(clone))
    text = WORKLOAD.format(
        owner=found.order.owner, dseq=found.order.dseq, gseq=found.order.gseq, oseq=found.order.oseq
    )
    (clone / "workloads").mkdir(exist_ok=True)
    (clone / "workloads" / f"{workload_id(found)}.yaml").write_text(text)
    _git("-C", str(clone), "add", "-A")
    author = ("-c", "user.name=operator", "-c", "user.email=operator@localhost")
    _git("-C", str(clone), *author, "commit", "-q", "-m", "Run the tenant's workload")
    _git("-C", str(clone), "push", "-q")


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)
