"""The doctor's look at the forge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.doctor.checks import CheckResult, CheckState
from reconciler.cli.doctor.forge import check_forge
from reconciler.settings import Flags, Settings, load_settings
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble, serving
from tests.test_settings import LEAST


@pytest.fixture
def forge() -> Iterator[FakeForge]:
    with serving(FakeForge()) as fake:
        yield fake


def settings(directory: Path, url: str) -> Settings:
    host = directory / "host.yaml"
    host.write_text(f"{LEAST}forge: {{url: {url}, repository: {REPOSITORY}, token_file: token}}\n")
    return load_settings(Flags(host=host), {})


def look(directory: Path, forge: FakeForge, token: str = TOKEN, mode: int = 0o600) -> CheckResult:
    file = directory / "token"
    file.write_text(f"{token}\n")
    file.chmod(mode)
    [found] = check_forge(settings(directory, forge.url))
    return found


def test_without_a_forge_there_is_no_check(tmp_path: Path) -> None:
    (tmp_path / "host.yaml").write_text(LEAST)
    assert list(check_forge(load_settings(Flags(host=tmp_path / "host.yaml"), {}))) == []


def test_everything_passes(forge: FakeForge, tmp_path: Path) -> None:
    found = look(tmp_path, forge)
    assert (found.state, found.check) == (CheckState.OK, "forge")
    assert found.message.endswith("shows states as provider-daemon/provider")


def test_a_read_only_token(forge: FakeForge, tmp_path: Path) -> None:
    forge.may_push = False
    assert look(tmp_path, forge).advice == "grant its account write access"


@pytest.mark.parametrize("trouble", [Trouble(401), Trouble(404), Trouble(500), Trouble(0)])
def test_a_failing_forge(forge: FakeForge, tmp_path: Path, trouble: Trouble) -> None:
    forge.always = trouble
    found = look(tmp_path, forge)
    assert (found.state, TOKEN in found.message) == (CheckState.WARN, False)
    assert found.message.startswith("commits' states are not shown: 127.0.0.1:")


@pytest.mark.parametrize(
    ("token", "mode", "words"), [("short", 0o600, "shorter than"), (TOKEN, 0o644, "other users may read")]
)
def test_a_bad_token_file(forge: FakeForge, tmp_path: Path, token: str, mode: int, words: str) -> None:
    found = look(tmp_path, forge, token, mode)
    assert found.state is CheckState.WARN
    assert words in found.message
    assert found.advice
    assert not forge.asked


def test_no_file(forge: FakeForge, tmp_path: Path) -> None:
    [found] = check_forge(settings(tmp_path, forge.url))
    assert (found.state, "cannot be read" in found.message) == (CheckState.WARN, True)
