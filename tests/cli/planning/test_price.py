"""The `price` command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.devnet.accounts import key_of
from reconciler.values.ids import LeaseId, OrderId, workload_id
from tests.bench.holdings import TENANT, file_of
from tests.cli.planning.test_plan import Terminal
from tests.cycle.worlds import FILES
from tests.git.forge import Forge
from tests.makers import order_id

PROVIDER = key_of("provider").address
CONFIG = "apiVersion: provider.virtengine.dev/v1beta1\nkind: Config\nprovider: {address}\n"


@pytest.fixture
def bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(provider_daemon, ["price", str(tmp_path), *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_the_items_add_up_to_the_price(bill: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = bill("--cpu", "4", "--memory", "8Gi", "--gpu", "nvidia/a100")
    assert code == 0
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[:7] == [
        "cpu 4000m x 1uve 4000",
        "memory 8192 MB x 1uve 8192",
        "storage 0 MB x 0.1uve 0",
        "gpu 1 x 1000uve 1000",
        "together 13192",
        "margin 15 % 1978.8",
        "a block rounded up to whole uve 15171",
    ]
    assert "no single snapshot" in out


TABLES = b"""\
  gpu_models:
    - {vendor: nvidia, model: a100, price: 5000uve}
  storage_classes: {beta2: 0.5uve}
  endpoint: 3uve
  multipliers:
    - {attribute: region=eu, percent: 120}
    - {tenant: %s, percent: 50}
  minimum: 100000uve
  rounding: 100uve
"""


def test_the_tables_have_lines_of_their_own(
    bill: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "pricing.yaml").write_bytes(FILES["pricing.yaml"] + TABLES % TENANT.encode())
    rows = [" ".join(line.split()) for line in bill("--cpu", "1", "--gpu", "nvidia/a100=2")[1].splitlines()]
    assert rows[3:9] == [
        "gpu nvidia/a100 2 x 5000uve 10000",
        "together 11000",
        "margin 15 % 1650",
        "multipliers x 1 0",
        "minimum of a lease 100000",
        "a block rounded up to multiples of 100uve 100000",
    ]
    lease = LeaseId(OrderId(TENANT, 7, 1, 1), PROVIDER)
    (tmp_path / "config.yaml").write_text(CONFIG.format(address=PROVIDER))
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / f"{workload_id(lease)}.yaml").write_bytes(file_of(7))
    found = json.loads(bill("--workload", str(workload_id(lease)), "-o", "json")[1])
    assert found["multipliers"] == "0.75", "no more than the host file's ceiling on discounts"


def test_json_has_the_same_price(bill: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = bill("--cpu", "1", "--count", "3", "-o", "json")
    found = json.loads(out)
    assert found["items"][0] == {"name": "cpu", "count": "3000m", "price_uve": "1", "cost_uve": "3000"}
    assert (found["block_uve"], found["take_percent"]) == ("3450", 2)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name the resources"),
        (("--cpu", "4x"), "write millicores"),
        (("--memory", "8G"), "write it in Ki, Mi"),
        (("--gpu", "a=b"), "model=count"),
    ],
)
def test_invalid_amounts_are_usage_errors(
    bill: Callable[..., tuple[int, str, str]], words: tuple[str, ...], why: str
) -> None:
    code, _, err = bill(*words)
    assert (code, why in err) == (64, True)


@pytest.fixture
def published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command in a clone with a snapshot of two open orders."""
    terminal = Terminal(Forge.make(tmp_path / "state"), capsys)
    terminal.publish_snapshot()

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(provider_daemon, ["price", str(terminal.forge.path), *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_an_order_of_the_snapshot_is_priced_with_its_bid(
    published: Callable[..., tuple[int, str, str]],
) -> None:
    code, out, _ = published("--order", str(order_id(2)))
    assert code == 0
    assert "a block rounded up to whole uve 2446" in " ".join(out.split())
    assert "bid: 2446uve a block by the strategy cost-plus; the tenant pays at most 2500uve" in out
    assert "at height" in out
    found = json.loads(published("--order", str(order_id(2)), "-o", "json")[1])
    assert found["block_uve"] == "2446"
    assert float(found["day_uve"]) == pytest.approx(24 * float(found["hour_uve"]), abs=1e-4)


@pytest.mark.parametrize(
    ("asked", "exit_code", "why"),
    [
        (str(order_id(9)), 1, "is open at height"),
        ("17", 64, "owner/dseq/gseq/oseq"),
    ],
)
def test_an_order_that_is_not_open_is_an_error(
    published: Callable[..., tuple[int, str, str]], asked: str, exit_code: int, why: str
) -> None:
    code, out, err = published("--order", asked)
    assert (code, out, why in err) == (exit_code, "", True)


def test_an_order_needs_a_snapshot(bill: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = bill("--order", str(order_id(2)))
    assert (code, "snapshot branch" in err) == (1, True)


def test_a_workload_file_is_priced_by_its_services(
    bill: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    lease = LeaseId(OrderId(TENANT, 7, 1, 1), PROVIDER)
    name = workload_id(lease)
    (tmp_path / "config.yaml").write_text(CONFIG.format(address=PROVIDER))
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / f"{name}.yaml").write_bytes(file_of(7))
    code, out, _ = bill("--workload", f"workloads/{name}.yaml", "-o", "json")
    assert code == 0
    assert bill("--workload", name, "-o", "json")[1] == out
    assert json.loads(out)["items"][0]["count"] == "500m"
    code, _, err = bill("--workload", "w-none")
    assert (code, "no readable workload file" in err) == (1, True)
