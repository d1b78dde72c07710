from pathlib import Path

from reconciler.cli.main import provider_daemon, run_command
from reconciler.settings import STOP_FILE


def test_a_file_stops_spending_and_its_absence_lets_it_go_on(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert run_command(provider_daemon, ["stop-spending", "--state", str(state)]) == 0
    assert (state / STOP_FILE).exists()
    assert run_command(provider_daemon, ["stop-spending", "--state", str(state), "--off"]) == 0
    assert not (state / STOP_FILE).exists()
