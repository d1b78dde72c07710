"""A slow and failing forge delays no cycle, and receives the commit state once it works."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path

from tests.e2e.processes import daemon, devnet
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble, serving

HOST = """
forge:
  url: {url}
  repository: {repository}
  token_file: forge-token
"""
FORGE_SECONDS = 8
"""How long the forge takes to fail; the daemon gives up after ten."""


def cycle_count(metrics: str) -> int:
    """The number of cycles that the daemon has run."""
    with urllib.request.urlopen(metrics, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        int(float(line.split()[-1])) for line in lines if line.startswith("virtengine_provider_cycles_total{")
    )


def test_a_failing_forge_delays_no_cycle(tmp_path: Path) -> None:
    home = tmp_path / "home"
    failing = Trouble(500, slow_seconds=FORGE_SECONDS)
    with serving(FakeForge(always=failing)) as forge, devnet(home, "--block-seconds", "0.25") as facts:
        (home / "forge-token").write_text(f"{TOKEN}\n")
        (home / "forge-token").chmod(0o600)
        host = home / "with-forge.yaml"
        section = HOST.format(url=forge.url, repository=REPOSITORY)
        host.write_text((home / "host.yaml").read_text() + section)
        with daemon(host) as process:
            process.wait_until(lambda: forge.asked, "a request to the forge")
            count, began = cycle_count(facts["metrics"]), time.monotonic()
            process.wait_until(lambda: cycle_count(facts["metrics"]) >= count + 4, "four more cycles")
            assert time.monotonic() - began < FORGE_SECONDS, "the cycles waited for the forge"
            forge.always = None
            process.wait_until(lambda: forge.statuses, "a commit state at the forge")
    assert forge.statuses[-1]["context"] == "provider-daemon/provider"
    assert process.stderr.count("commit states could not be reported to the forge; retrying") == 1
    assert TOKEN not in process.stderr
