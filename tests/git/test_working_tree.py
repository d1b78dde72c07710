"""Edits that are not committed, named without running what the repository would run for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.clone import Clone
from tests.git.forge import Forge


@pytest.mark.parametrize("kind", ["clean", "process"])
def test_configured_filters_are_not_run(forge: Forge, tmp_path: Path, kind: str) -> None:
    mark = tmp_path / "was-run"
    forge.commit(a="1")
    forge.git("config", f"filter.a.b.{kind}", f"touch {mark}; false")
    forge.git("config", "filter.a.b.required", "true")
    (forge.path / ".gitattributes").write_text("a filter=a.b\n")
    forge.write(a="2")
    assert Clone(forge.path, tmp_path / "home").uncommitted() == ("a",)
    assert not mark.exists()
