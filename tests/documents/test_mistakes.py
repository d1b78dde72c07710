"""Mistakes that people make in the files: the position, and the sentence that corrects them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.documents.desired import validate
from reconciler.values.ids import workload_id
from tests.documents.texts import OWNER, PROVIDER, lease, repository

PRICING = (Path(__file__).parents[2] / "state-repo-template" / "pricing.yaml").read_text()
WORKLOAD = f"""\
kind: Workload
lease: {{owner: {OWNER}, dseq: 1, gseq: 1, oseq: 1}}
services:
  - name: web
    image: nginx:1.27
    resources: {{cpu: 500m, memory: 512Mi, storage: 1Gi}}
    expose:
      - {{port: 80, global: true}}
"""
PATH = f"workloads/{workload_id(lease(1))}.yaml"


def told(path: str, text: str) -> list[str]:
    """The faults of one file beside valid others, without its name."""
    files = repository() | {"pricing.yaml": PRICING.encode(), path: text.encode()}
    return [f.describe().removeprefix(f"{f.path}:") for f in validate(files, PROVIDER) if f.path == path]


def cases() -> Iterator[tuple[str, str, str, str]]:
    """From mistakes.txt: the file, what is replaced in it by what, and the lines that follow."""
    for block in (Path(__file__).parent / "mistakes.txt").read_text().split("\n\n"):
        title, _, message = block.strip().partition("\n")
        kind, _, change = title.partition(": ")
        text, mistake = map(ast.literal_eval, change.split(" -> "))
        yield kind, text, mistake, message


@pytest.mark.parametrize(("kind", "text", "mistake", "message"), [*cases()])
def test_a_mistake_is_explained(kind: str, text: str, mistake: str, message: str) -> None:
    path, valid = {"pricing": ("pricing.yaml", PRICING), "workload": (PATH, WORKLOAD)}[kind]
    assert text in valid
    assert "\n".join(told(path, valid.replace(text, mistake, -1 if mistake == "\n" else 1))) == message
