"""A repository of SHA-256 objects, from the first look to the log of a clone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen, Unseen
from reconciler.values.repository import BranchCommit
from tests.git.forge import Forge

DIGITS = 64


@pytest.fixture
def wide(tmp_path: Path) -> Forge:
    return Forge.make(tmp_path / "wide", "sha256")


def test_read_publish_and_log(
    wide: Forge, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROVIDER_DAEMON_HOST", raising=False)
    first = wide.commit("one", config_yaml="kind: Config\n", workloads__a_yaml="x")
    repository = GitRepository(Remote(str(wide.path)), state)
    reading = repository.fetch("")
    assert isinstance(reading, Seen), reading
    (newest,) = reading.view
    assert (newest.id, len(newest.id)) == (first, DIGITS)
    assert repository.read(list(newest.files.values()))[newest.files["config.yaml"]] == b"kind: Config\n"
    trailers = (("Desired-Revision", first), ("Chain-Height", "7"))
    status = BranchCommit("status/p", {"a": b"1\n", "b/c": b"2\n"}, "It happened", trailers)
    outcome = repository.publish(status)
    assert isinstance(outcome, Done), outcome
    assert wide.git("rev-parse", "status/p") == outcome.detail
    assert repository.publish(status) == Done("")
    changed = repository.publish(BranchCommit("status/p", {"a": b"3\n"}, "It changed", trailers))
    assert isinstance(changed, Done)
    assert wide.git("show", "status/p:a") == "3"
    shared = repository.publish(BranchCommit("snapshot/p", {"a": b"1\n"}, "It was so", replaces=True))
    assert isinstance(shared, Done), shared
    second = wide.commit("two", config_yaml="kind: Config #\n")
    again = GitRepository(Remote(str(wide.path)), state).fetch(first)
    assert isinstance(again, Seen)
    assert [each.id for each in again.view] == [second, first]
    assert again.view[0].descends
    assert run_command(provider_daemon, ["log", "--clone", str(wide.path), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["commit"] for each in told] == [second, first]


def test_a_mirror_with_commits_keeps_its_object_format(wide: Forge, forge: Forge, state: Path) -> None:
    first = forge.commit("one", config_yaml="1")
    assert isinstance(GitRepository(Remote(str(forge.path)), state).fetch(""), Seen)
    wide.commit("other", config_yaml="2")
    repository = GitRepository(Remote(str(wide.path)), state)
    reading = repository.fetch(first)
    assert isinstance(reading, Unseen)
    assert "has sha256 objects and had sha1 before: it is another repository" in reading.why
    kept = repository.last_fetched(first)
    assert isinstance(kept, Seen)
    assert kept.view[0].id == first


def test_an_empty_mirror_adopts_the_object_format(wide: Forge, state: Path) -> None:
    repository = GitRepository(Remote(str(wide.path)), state)
    assert isinstance(repository.fetch(""), Unseen)
    wide.commit("one", config_yaml="1")
    assert isinstance(repository.fetch(""), Seen)
