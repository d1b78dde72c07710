"""A daemon that tells a forge: one that is slow and broken holds up no cycle, and is told in the end."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.e2e.running import devnet, interrupt, start
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble, serving

HOST = """
forge:
  url: {url}
  repository: {repository}
  token_file: forge-token
"""


def cycles(metrics: str) -> int:
    """How many cycles the daemon has had."""
    with urllib.request.urlopen(metrics, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        int(float(line.split()[-1])) for line in lines if line.startswith("virtengine_provider_cycles_total{")
    )


def until(look: Callable[[], object], what: str, seconds: float = 40) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            if look():
                return
        except OSError:
            pass
        assert time.monotonic() < ends, f"not in time: {what}"
        time.sleep(0.05)


def test_a_forge_in_trouble(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (
        serving(FakeForge(always=Trouble(500, slow_seconds=3))) as forge,
        devnet(home, "--block-seconds", "0.25") as told,
    ):
        (home / "forge-token").write_text(f"{TOKEN}\n")
        (home / "forge-token").chmod(0o600)
        host = home / "with-forge.yaml"
        words = HOST.format(url=forge.url, repository=REPOSITORY)
        host.write_text((home / "host.yaml").read_text() + words)
        daemon = start("run", "--host", str(host))
        try:
            until(lambda: forge.asked, "the forge is asked")
            before, began = cycles(told["metrics"]), time.monotonic()
            until(lambda: cycles(told["metrics"]) >= before + 4, "four more cycles")
            assert time.monotonic() - began < 3, "the forge has not answered yet"
            forge.always = None
            until(lambda: forge.statuses, "the forge is told")
        finally:
            code, _, err = interrupt(daemon)
    assert code == 0, err
    assert forge.statuses[-1]["context"] == "provider-daemon/provider"
    assert err.count("the forge is not told how commits stand, it is tried again") == 1
    assert TOKEN not in err
