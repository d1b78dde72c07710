"""`plan --base --head --offline` in a clone, as a pull request's check runs it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.documents.planning_snapshot import planning_snapshot_files
from reconciler.planning.planner import plan
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.limits import Limits
from reconciler.values.planning_snapshot import PlanningSnapshot
from tests import makers
from tests.bench.holdings import TENANT, file_of
from tests.cycle.worlds import FILES
from tests.git.forge import ENVIRONMENT, Forge
from tests.git.keys import signing_keys

PRICED = FILES["pricing.yaml"]
DEARER = PRICED.replace(b"cpu_millicores: 1uve", b"cpu_millicores: 1.2uve")


class Terminal:
    """Runs commands in a clone of a state repository and captures their output."""

    def __init__(self, forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
        self.forge, self._capsys = forge, capsys
        self.base = forge.commit(config_yaml=FILES["config.yaml"], pricing_yaml=PRICED)
        forge.git("switch", "--quiet", "-c", "change")

    def run(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run_command(provider_daemon, ["plan", *words, "--clone", str(self.forge.path)])
        out = self._capsys.readouterr()
        return code, out.out, out.err

    def offline(self, *words: str) -> tuple[int, str, str]:
        return self.run("--offline", "--base", "main", *words)

    def publish_snapshot(
        self,
        *,
        provider: str = "p",
        applied: str = "",
        age: int = 60,
        limits: Limits | None = None,
        good_of: str = "",
        folder: str = "",
    ) -> str:
        """A snapshot branch as the daemon would have pushed it."""
        market = makers.market(orders=[makers.order(1), makers.order(2, makers.unit(price=2500))])
        good = {name: self.forge.git("rev-parse", f"{good_of or self.base}:{name}") for name in FILES}
        base = replace(makers.desired(), commit=applied or self.base, valid_blobs=good)
        inputs = makers.planning_input(market, base)
        outlook = PlanningSnapshot(
            provider,
            int(time.time()) - age,
            market,
            inputs.adapters,
            plan(inputs).memory,
            limits or Limits(clock_skew_seconds=10**9),
            folder=folder,
        )
        return self.push(provider, planning_snapshot_files(outlook))

    def push(self, provider: str, files: dict[str, bytes], *options: str) -> str:
        here = self.forge.git("symbolic-ref", "--short", "HEAD")
        self.forge.git("switch", "--quiet", "--orphan", f"snapshot/{provider}")
        for path, content in files.items():
            (self.forge.path / path).write_bytes(content)
        made = self.forge.commit("What is seen", *options)
        self.forge.git("switch", "--quiet", "--force", here)
        return made


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(Forge.make(tmp_path / "state"), capsys)


@pytest.fixture
def changed(terminal: Terminal) -> Terminal:
    """A branch that raises the price of cores."""
    terminal.publish_snapshot()
    terminal.forge.commit("Cores cost a fifth more", pricing_yaml=DEARER)
    return terminal


def test_a_price_change_is_previewed_with_its_effects(changed: Terminal) -> None:
    code, out, _ = changed.offline()
    assert code == 2
    assert "2 open orders decided otherwise; prices" in out
    assert "pricing.cpu_millicores: 1uve -> 1.2uve" in out
    assert "1,282 -> 1,397" in out
    assert "+9 %" in out
    assert "no bid, PriceTooLow: it pays at most 2,500uve a block, our price is 2,676uve" in out
    assert f"The snapshot {changed.forge.git('rev-parse', 'snapshot/p')[:12]} was taken 1m" in out
    assert "ago; later changes are not in it." in out


def test_json_has_the_plan_of_the_head(changed: Terminal, tmp_path: Path) -> None:
    beside = tmp_path / "plan.json"
    code, out, _ = changed.offline("--format", "markdown", "--json-file", str(beside))
    assert code == 2
    assert out.startswith("### Effects of merging this on p: 2 open orders decided otherwise; prices ")
    found = json.loads(beside.read_text())
    assert found["head"] == found["plan"]["revision"] == changed.forge.git("rev-parse", "HEAD")
    assert [o["after"]["bid_uve"] for o in found["orders"]] == ["2676", None]
    assert Decimal(found["prices"][0]["new"]["block_uve"]) == 1397


def test_the_default_base_is_the_applied_commit(changed: Terminal) -> None:
    code, out, _ = changed.run("--offline")
    assert (code, f"From {changed.base[:12]} to" in out) == (2, True)


def test_without_changes_it_exits_with_0(terminal: Terminal) -> None:
    terminal.publish_snapshot()
    code, out, _ = terminal.offline()
    assert (code, "nothing changes" in out) == (0, True)


def test_a_branch_behind_its_base_is_planned_as_the_merge(changed: Terminal) -> None:
    forge = changed.forge
    forge.git("switch", "--quiet", "main")
    forge.commit("Another thing", config_yaml=b"publishing: {quiet: 6s, at_most: 30s}\n")
    forge.git("switch", "--quiet", "change")
    code, out, _ = changed.offline()
    assert code == 2
    assert "2 open orders decided otherwise" in out
    assert "planned as the merge of both" in out


def test_a_conflict_with_the_base_names_the_file(changed: Terminal) -> None:
    forge = changed.forge
    forge.git("switch", "--quiet", "main")
    forge.commit("Cores cost less", pricing_yaml=PRICED.replace(b"cores: 1uve", b"cores: 0.9uve"))
    forge.git("switch", "--quiet", "change")
    code, _, err = changed.offline()
    assert (code, "it conflicts with the base in pricing.yaml; merge the base" in err) == (1, True)


def test_an_invalid_file_is_reported_and_changes_nothing(changed: Terminal) -> None:
    changed.forge.commit("Oops", pricing_yaml=b"pricing:\n\tgpu: 1uve\n")
    code, out, _ = changed.offline()
    assert code == 2
    assert "Errors" in out
    assert "pricing.yaml:2:1" in out
    assert "nothing takes effect: its files have errors" in out


def test_a_revert_is_noted(changed: Terminal) -> None:
    forge = changed.forge
    reverted = forge.git("rev-parse", "HEAD")
    forge.git("branch", "--force", "main")
    forge.git("revert", "--no-edit", "HEAD")
    code, out, _ = changed.offline()
    assert (code, f"Reverts commit {reverted[:12]}" in out) == (2, True)
    forge.commit("Another thing", config_yaml=b"publishing: {quiet: 6s, at_most: 30s}\n")
    assert f"Reverts commit {reverted[:12]}" in changed.offline()[1]


def test_exceeded_limits_of_the_host_come_first(terminal: Terminal) -> None:
    terminal.publish_snapshot(limits=Limits(price_change_percent=10, clock_skew_seconds=10**9))
    terminal.forge.commit(pricing_yaml=DEARER)
    code, out, _ = terminal.offline()
    assert code == 2
    assert "Limits exceeded" in out
    assert "PriceJump" in out
    assert out.index("Limits exceeded") < out.index("Files")
    assert re.search(r"`provider-daemon approve [0-9a-f]{16}`", out)
    assert "with the digest shown here" in out


BEHIND = "is behind {}, which the daemon has applied; planned on top of that"


@pytest.fixture
def stale(terminal: Terminal) -> Terminal:
    """A clone whose main is one commit behind what the daemon has applied."""
    forge = terminal.forge
    ahead = forge.commit("Since", config_yaml=b"publishing: {quiet: 6s, at_most: 30s}\n")
    terminal.publish_snapshot(applied=ahead)
    forge.git("branch", "applied", ahead)
    return terminal


def test_a_base_behind_the_applied_commit_does_not_rewrite_history(stale: Terminal) -> None:
    forge = stale.forge
    forge.git("switch", "--quiet", "-C", "change", "main")
    forge.commit(pricing_yaml=DEARER)
    code, out, _ = stale.offline()
    assert (code, "RewrittenHistory" in out) == (2, False)
    assert BEHIND.format(forge.git("rev-parse", "applied")[:12]) in out
    assert "2 open orders decided otherwise; prices" in out
    forge.git("switch", "--quiet", "--force-create", "change", "applied")
    forge.commit(pricing_yaml=DEARER)
    assert "2 open orders decided otherwise; prices" in stale.offline()[1]


def test_a_change_that_is_applied_already_is_noted(stale: Terminal) -> None:
    code, out, _ = stale.offline("--head", "applied")
    assert (code, "RewrittenHistory" in out, "not applied the base" in out) == (2, False, False)
    assert "has applied this change already" in out


def test_rewritten_history_exceeds_a_limit(stale: Terminal) -> None:
    forge = stale.forge
    forge.git("switch", "--quiet", "--orphan", "other")
    forge.commit(pricing_yaml=PRICED)
    forge.git("branch", "--force", "main")
    forge.commit(pricing_yaml=DEARER)
    assert "RewrittenHistory" in stale.offline()[1]


def test_in_a_shallow_clone_a_rewrite_of_history_is_unknown(
    stale: Terminal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge = stale.forge
    forge.git("branch", "--force", "main", forge.commit(pricing_yaml=DEARER))
    forge.commit(pricing_yaml=PRICED)
    clone = ["git", "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{forge.path}"]
    subprocess.run([*clone, str(tmp_path / "shallow")], check=True, env=ENVIRONMENT)
    words = ["plan", "--offline", "--base", "origin/main", "--head", "origin/main"]
    capsys.readouterr()
    run_command(provider_daemon, [*words, "--clone", str(tmp_path / "shallow")])
    out = capsys.readouterr().out
    assert "RewrittenHistory" not in out
    assert "is unknown in a shallow clone" in out


def test_a_file_replaced_by_a_link_is_a_change(terminal: Terminal) -> None:
    terminal.publish_snapshot()
    (terminal.forge.path / "workloads").mkdir()
    (terminal.forge.path / "workloads/x.yaml").symlink_to("/etc/passwd")
    terminal.forge.commit()
    code, out, _ = terminal.offline()
    assert code == 2
    assert "workloads/x.yaml (added)" in out
    assert "a symbolic link, which is not followed" in out


def test_uncommitted_edits_are_ignored(terminal: Terminal) -> None:
    terminal.publish_snapshot()
    terminal.forge.write(pricing_yaml=DEARER)
    code, out, _ = terminal.offline()
    assert (code, "Uncommitted edits are ignored: pricing.yaml" in out) == (0, True)


def test_without_a_snapshot_the_error_has_the_fetch_command(terminal: Terminal) -> None:
    code, _, err = terminal.offline()
    assert code == 1
    assert "no branch snapshot/<provider>" in err
    assert "git fetch origin '+refs/heads/snapshot/*:refs/remotes/origin/snapshot/*'" in err


def test_a_stale_snapshot_is_a_warning(terminal: Terminal) -> None:
    terminal.publish_snapshot(age=5 * 3600)
    terminal.forge.commit(pricing_yaml=DEARER)
    code, out, _ = terminal.offline()
    assert code == 2
    assert "the snapshot is 5h" in out
    assert "the daemon may be down" in out


def test_a_snapshot_from_the_future_is_a_warning(terminal: Terminal) -> None:
    terminal.publish_snapshot(age=-86_400)
    _, out, _ = terminal.offline()
    assert "clock or this one is wrong" in out


def test_numbers_out_of_range_in_a_snapshot_are_an_error(terminal: Terminal) -> None:
    terminal.publish_snapshot()
    tree = json.loads(terminal.forge.git("show", "snapshot/p:snapshot.json"))
    tree["market"]["rules"]["take_percent"] = 100
    terminal.forge.git("branch", "-D", "snapshot/p")
    terminal.push("p", {"snapshot.json": json.dumps(tree).encode()})
    code, _, err = terminal.offline()
    assert (code, "numbers outside of the supported range" in err) == (1, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "use the version of the daemon"),
        (b"\x00\xff", "is not a snapshot"),
        (b"[" * 100_000, "not a snapshot"),
    ],
)
def test_a_malformed_snapshot_is_an_error(terminal: Terminal, content: bytes, why: str) -> None:
    terminal.push("p", {"snapshot.json": content})
    code, _, err = terminal.offline()
    assert (code, why in err) == (1, True)


def test_a_provider_is_selected_by_its_name(changed: Terminal) -> None:
    changed.publish_snapshot(provider="q")
    code, _, err = changed.offline()
    assert (code, "several providers share this repository (p, q)" in err) == (1, True)
    code, out, _ = changed.offline("--provider", "q")
    assert (code, "that q saw" in out) == (2, True)


def test_a_provider_is_selected_by_its_folder(terminal: Terminal) -> None:
    terminal.publish_snapshot(folder="p")
    terminal.publish_snapshot(provider="q")
    terminal.forge.commit(pricing_yaml=DEARER)
    code, out, _ = terminal.offline()
    assert (code, "that q saw" in out) == (2, True)


def test_a_lease_newer_than_the_snapshot_is_noted(terminal: Terminal) -> None:
    terminal.publish_snapshot()
    own = LeaseId(OrderId(TENANT, 7, 1, 1), makers.US)
    terminal.forge.write(**{f"workloads__{workload_id(own)}_yaml": file_of(7)})
    terminal.forge.commit()
    code, out, _ = terminal.offline()
    assert code == 2
    assert "did not exist at height 1000: if it is newer, ignore the findings" in out


def test_a_folder_without_applied_files_is_an_error(terminal: Terminal) -> None:
    forge = terminal.forge
    (forge.path / "q").mkdir()
    forge.git("mv", "config.yaml", "pricing.yaml", "q")
    moved = forge.commit("Into a folder of its own")
    forge.git("branch", "--force", "main", moved)
    forge.git("branch", "old", terminal.base)
    terminal.publish_snapshot(applied=moved, good_of="old")
    forge.commit(q__pricing_yaml=DEARER)
    code, _, err = terminal.offline()
    assert (code, "p has applied no file of the top folder of this repository" in err) == (1, True)
    code, out, _ = terminal.offline("--path", "./q/")
    assert (code, "2 open orders decided otherwise; prices" in out) == (2, True)
    assert "check --path and --provider" not in out


def test_a_folder_with_other_files_than_applied_is_noted(terminal: Terminal) -> None:
    terminal.publish_snapshot(
        good_of=terminal.forge.commit(config_yaml=b"{}", pricing_yaml=DEARER), applied=terminal.base
    )
    assert "check --path and --provider" in terminal.offline()[1]


def test_an_unsigned_snapshot_is_refused_with_allowed_signers(changed: Terminal, tmp_path: Path) -> None:
    keys = signing_keys(tmp_path)
    listed = ("--allowed-signers", str(keys / "allowed"))
    code, _, err = changed.offline(*listed)
    assert (code, "is not signed by anyone in" in err) == (1, True)

    forge = changed.forge
    snapshot = json.loads(forge.git("show", "snapshot/p:snapshot.json"))
    forge.git("config", "gpg.format", "ssh")
    for key, expected in (("stranger", 1), ("listed", 2)):
        forge.git("config", "user.signingkey", str(keys / key))
        forge.git("branch", "-D", "snapshot/p")
        changed.push("p", {"snapshot.json": json.dumps(snapshot).encode()}, "-S")
        assert changed.offline(*listed)[0] == expected


def test_a_base_missing_in_the_clone_gives_the_fetch_command(changed: Terminal) -> None:
    code, _, err = changed.run("--offline", "--base", "origin/nowhere")
    assert (code, "no commit origin/nowhere; fetch it" in err) == (1, True)


def test_an_applied_commit_missing_in_the_clone_is_noted(terminal: Terminal) -> None:
    terminal.publish_snapshot(applied="f" * 40)
    terminal.forge.commit(pricing_yaml=DEARER)
    code, out, _ = terminal.offline()
    assert (code, "ffffffffffff, which the daemon has applied, is not in this clone" in out) == (2, True)
