"""The README is short and shows both pictures; the pictures are small, and the SVG needs nothing else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from docs.pictures.make import (
    COLUMNS,
    DEMO,
    END_SECONDS,
    FOLDER,
    GAP_SECONDS_MAX,
    PAGE,
    PAGE_BYTES_MIN,
    PAGE_STEP,
    ROWS,
    animation,
)
from reconciler.devnet.demo_money import STEPS
from tests.docs.test_pages import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BYTES_MAX, LINES_MAX, COLUMNS_MAX = 500_000, 150, 100


def test_readme_is_short_and_narrow() -> None:
    lines = README.splitlines()
    assert len(lines) <= LINES_MAX
    assert [line for line in lines if len(line) > COLUMNS_MAX] == []


def test_pictures_are_small_and_shown() -> None:
    pictures = {path for path in FOLDER.iterdir() if path.suffix in {".png", ".svg"}}
    assert pictures == {PAGE, DEMO}
    assert [path.name for path in pictures if path.stat().st_size >= BYTES_MAX] == []
    shown = {(ROOT / target).resolve() for target in re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)}
    assert shown == pictures


def test_page_is_taken_in_a_step_of_the_demo() -> None:
    assert [step.name for step in STEPS].count(PAGE_STEP) == 1
    assert PAGE.stat().st_size >= PAGE_BYTES_MIN


def test_committed_animation_has_no_scripts_or_external_resources() -> None:
    tree = ElementTree.parse(DEMO)  # a file of this repository
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags == {"svg", "title", "style", "text", "tspan", "rect", "g"}
    assert re.findall(r"href|url\(|@import", DEMO.read_text(encoding="utf-8")) == []


def rows_of(svg: str) -> list[str]:
    tree = ElementTree.fromstring(svg)  # made by this test
    return ["".join(element.itertext()) for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_animation_has_every_word_in_rows_that_fit() -> None:
    long = "  9.5s    -> " + "a <word> & " * 30
    rows = rows_of(animation([(0.0, "$ make demo"), (9.5, long), (9.6, "the end")]))
    assert [rows[0], rows[-1]] == ["$ make demo", "the end"]
    assert "".join(rows[1:-1]).split() == long.split()
    assert max(map(len, rows)) <= COLUMNS


def test_animation_ends_with_the_last_rows() -> None:
    lines = ROWS + 5
    svg = animation([(float(second) * 60, f"line {second}") for second in range(lines)])
    assert svg.count("100.00%") == 0
    seconds = (lines - 1) * GAP_SECONDS_MAX + END_SECONDS
    assert f"animation: {seconds:.1f}s" in svg
    assert re.findall(r"\.lines \{ transform: translateY\((-\d+)px\)", svg) == ["-90"]
