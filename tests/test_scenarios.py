"""What would it do here? A folder of tests/scenarios is a case: what is given, the plan, what is published.

`UPDATE=1 pytest tests/test_scenarios.py` writes the golden files again; tests/given.py has the keys.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from reconciler.documents.status import status_files
from reconciler.reports.plan_text import plan_text
from reconciler.values.views import PublishedStatus
from tests.given import Case, case_of

FOLDERS = sorted(each for each in (Path(__file__).parent / "scenarios").iterdir() if each.is_dir())


def given_of(folder: Path) -> Case:
    return case_of(yaml.safe_load((folder / "given.yaml").read_text(encoding="utf-8")))


def published(status: PublishedStatus | None) -> str:
    """Every file of the status branch, one after the other."""
    assert status is not None, "the chain was seen once"
    files = status_files(status).items()
    return "\n".join(f"==== {path}\n{content.decode()}" for path, content in files)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_plan_of_a_case_equals_its_golden_files(folder: Path) -> None:
    case = given_of(folder)
    made = {"plan.txt": plan_text(case.planned().plan), "status.txt": published(case.status())}
    if os.environ.get("UPDATE"):
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
    for name, text in made.items():
        assert text == (folder / name).read_text(encoding="utf-8"), f"{folder.name}/{name}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_holds_its_three_files_and_no_other(folder: Path) -> None:
    assert sorted(each.name for each in folder.iterdir()) == ["given.yaml", "plan.txt", "status.txt"]
    text = (folder / "given.yaml").read_text(encoding="utf-8")
    assert text.startswith("case: "), "the first line says what it is about"


def test_an_unused_key_of_a_case_is_refused() -> None:
    with pytest.raises(AssertionError, match="leasse"):
        case_of({"case": "x", "leasse": []})
