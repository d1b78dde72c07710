from pathlib import Path

from reconciler.cli.main import provider_daemon, run_command
from reconciler.settings import DRAIN_FILE


def test_a_file_drains_and_its_absence_lets_it_bid_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert run_command(provider_daemon, ["drain", "--state", str(state)]) == 0
    assert (state / DRAIN_FILE).exists()
    assert run_command(provider_daemon, ["drain", "--state", str(state), "--off"]) == 0
    assert run_command(provider_daemon, ["drain", "--state", str(state), "--off"]) == 0
    assert not (state / DRAIN_FILE).exists()
