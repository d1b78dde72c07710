"""The `price` command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from tests.cycle.worlds import FILES


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
    assert "nvidia/a100 included" in out
    assert "no single snapshot" in out


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
