"""The forge's page as the host file names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.settings import Flags, Settings, SettingsError, load_settings
from tests.test_settings import LEAST

FORGE = """\
forge:
  url: https://forge.example
  repository: olga/state
  token_file: forge-token
"""


def load(directory: Path, text: str) -> Settings:
    path = directory / "host.yaml"
    path.write_text(LEAST + text)
    return load_settings(Flags(host=path), {})


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert load(tmp_path, "").forge is None


def test_a_page(tmp_path: Path) -> None:
    page = load(tmp_path, FORGE).forge
    assert page is not None
    assert page.repository.at("x") == "https://forge.example/api/v1/repos/olga/state/x"
    assert page.token_file == tmp_path / "forge-token"
    assert page.name == "provider-daemon/provider"
    named = load(tmp_path, f"{FORGE}  context: provider/eu\n").forge
    assert named is not None
    assert named.name == "provider/eu"


@pytest.mark.parametrize(
    ("good", "bad", "where"),
    [
        (
            "https://forge.example",
            "http://forge.example",
            ":8:8: forge.url: http://forge.example/api/v1 is not enc",
        ),
        (
            "https://forge.example",
            "https://a:b@c",
            ":8:8: forge.url: a forge's address contains no user",
        ),
        ("olga/state", "state", ':9:15: forge.repository: "state" is not a repository (write OWNER/NAME'),
        ("  token_file: forge-token\n", "", ":7:1: forge: the key token_file is missing"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, good: str, bad: str, where: str) -> None:
    with pytest.raises(SettingsError) as told:
        load(tmp_path, FORGE.replace(good, bad))
    assert where in str(told.value)
