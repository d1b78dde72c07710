"""Corrections of mistakes with one right answer, and that nothing else changes."""

from __future__ import annotations

import pytest

from reconciler.documents.desired import validate
from reconciler.documents.fixing import fixed_files
from tests.documents.test_mistakes import PRICING
from tests.documents.texts import CONFIG, PROVIDER, repository


def pricing(text: str, mistake: str) -> dict[str, bytes]:
    assert text in PRICING
    return repository() | {"pricing.yaml": PRICING.replace(text, mistake).encode()}


@pytest.mark.parametrize(
    ("mistake", "fixed"),
    [
        ("cpu_millicores: 1 uve", "cpu_millicores: 1uve"),
        ("cpu_millicores: '1 uve'", "cpu_millicores: '1uve'"),
        ("cpu_millicores:\u00a0.5UVE", "cpu_millicores: 0.5uve"),
        ("cpu_millicores: 1e-6uve", "cpu_millicores: 0.000001uve"),
        ("cpu_millicores:1uve", "cpu_millicores: 1uve"),
        ("cpu\u200b_millicores: 1\tuve", "cpu_millicores: 1uve"),
    ],
)
def test_what_has_one_right_answer_is_corrected(mistake: str, fixed: str) -> None:
    files = fixed_files(pricing("cpu_millicores: 1uve", mistake), PROVIDER)
    assert files["pricing.yaml"].decode() == PRICING.replace("cpu_millicores: 1uve", fixed)
    assert not validate(files, PROVIDER)


@pytest.mark.parametrize("mistake", ["1,000uve", "1 VE", "-1uve", "1", "1uakt", "cpu: x", "[1uve]"])
def test_what_has_several_is_left_alone(mistake: str) -> None:
    files = pricing("cpu_millicores: 1uve", f"cpu_millicores: {mistake}")
    assert fixed_files(files, PROVIDER) == files


def test_several_mistakes_of_a_file_with_line_ends_of_windows() -> None:
    text = PRICING.replace("  memory_mb: 1uve", "\tmemory_mb: 1 uve").replace(
        "kind: Pricing", "kind: pricing"
    )
    mark = b"\xef\xbb\xbf"
    files = repository() | {"pricing.yaml": mark + text.replace("\n", "\r\n").encode()}
    fixed = fixed_files(files, PROVIDER)["pricing.yaml"]
    assert fixed == mark + PRICING.replace("\n", "\r\n").encode()


def test_names_of_files() -> None:
    files = repository() | {"Config.YML": CONFIG}
    del files["config.yaml"]
    assert fixed_files(files, PROVIDER) == repository()
    both = repository() | {"pricing.yml": b"x"}
    assert fixed_files(both, PROVIDER) == both, "the right name is taken"
