"""The reference: committed as generated, and nothing that a file may hold is missing in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.documents.forms import FORMS
from reconciler.documents.kinds import KINDS, FileKind
from reconciler.documents.reference import UNITS, WHERE, reference
from reconciler.documents.schemas import HOST, schemas

COMMITTED = Path(__file__).parents[2] / "docs" / "reference"
PAGES = reference()
MEASURES = re.compile(r"price|amount|margin|duration|size|CPU")


def test_the_committed_reference_is_the_generated_one() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()}
    assert on_disk == dict(PAGES), "run make docs"


def names(node: Any) -> Iterator[str]:
    """Every key that a schema knows, wherever it stands, except what only picks a form."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "properties":
                yield from value
            if name == "additionalProperties" and value:
                yield "NAME"
            if name not in ("if", "else", "$defs"):
                yield from names(value)
            if name == "$defs":
                yield from names({key: each for key, each in value.items() if not key.startswith("First")})
    elif isinstance(node, list):
        for each in node:
            yield from names(each)


@pytest.mark.parametrize("kind", [*KINDS, HOST], ids=lambda kind: kind.name)
def test_every_key_of_the_schema_has_its_row(kind: FileKind) -> None:
    rows = re.findall(r"(?m)^\| `([^`]+)` \|", PAGES[kind.schema.replace(".json", ".md")])
    assert len(rows) == len(set(rows))
    told = {row.rpartition(".")[2].removesuffix("[]") for row in rows}
    assert told == set(names(json.loads(schemas()[kind.schema])))


def cells(page: str, key: str) -> list[str]:
    line = next(line for line in PAGES[page].splitlines() if line.startswith(f"| `{key}` |"))
    return [cell.strip() for cell in line.strip("|").split(" | ")][1:4]


@pytest.mark.parametrize(
    ("page", "key", "expected"),
    [
        (
            "pricing.md",
            "pricing.gpu",
            ["[a unit price](README.md#forms)", "uve, or a currency", "**required**"],
        ),
        ("pricing.md", "pricing.rounding", ["[a rounding](README.md#forms)", "", "`up`"]),
        ("config.md", "bidding.enabled", ["`true` or `false`", "", "`true`"]),
        ("config.md", "capacity_reserve_percent", ["whole number from 0 to 100", "%", "`0`"]),
        ("workload.md", "services", ["list of mappings at least 1 at most 200", "", ""]),
        ("workload.md", "services[].resources.gpu", ["whole number from 0 to 24", "", "`0`"]),
        ("host.md", "timing.poll_seconds", ["number from 0.05 to 600", "seconds", "`1`"]),
        ("host.md", "limits.spend_per_hour", ["[an amount](README.md#forms)", "uve", "`50000000uve`"]),
    ],
)
def test_type_unit_and_default(page: str, key: str, expected: list[str]) -> None:
    assert cells(page, key) == expected


def test_the_older_name_of_a_key_is_listed() -> None:
    assert "In v1alpha1, `usage.settle_before_expiry` is called `expiry_margin`." in PAGES["config.md"]


def test_every_kind_and_form_is_known() -> None:
    assert WHERE.keys() == {kind.name for kind in (*KINDS, HOST)}
    for pattern, form in FORMS.items():
        assert (pattern in UNITS) == bool(MEASURES.search(form.noun)), form
        assert f"| {form.noun} |" in PAGES["README.md"]


def test_no_row_is_broken() -> None:
    for page in PAGES.values():
        tables = re.findall(r"(?m)^\|.*$", page)
        assert all(line.endswith("|") for line in tables)
        assert not re.search(r"<(?!id>|kind>)[a-z]", page), "a browser would take it for HTML"
