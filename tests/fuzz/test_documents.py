"""Arbitrary files of a repository and of the snapshot branch."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents.desired import DesiredReader
from reconciler.documents.document import BrokenFileError
from reconciler.documents.planning_snapshot import (
    FILE,
    PlanningSnapshotError,
    planning_snapshot_files,
    read_planning_snapshot,
)
from reconciler.documents.yaml_reader import read_yaml
from reconciler.values.desired import Fault
from reconciler.values.repository import Commit
from tests.documents.test_planning_snapshot import outlook
from tests.documents.texts import OWNER, PROVIDER, repository, workload_path
from tests.fuzz.bounded import QUICK, bounded, is_safe, texts

SYNTAX = (
    "- ",
    "{",
    "[",
    "}",
    "]",
    ": ",
    "? ",
    "&a ",
    "*a ",
    "!!x ",
    "| ",
    "> ",
    "'",
    '"',
    "#",
    "%YAML 1.1\n",
)
LINES = (
    "\n",
    "\n  ",
    "\n- ",
    "\n? ",
    "---\n",
    "...\n",
    "<<: ",
    "a: ",
    "a: &a [*a]",
    "=",
    "1_0",
    "1:1",
    "<<<<<<< ",
)
NUMBERS = ("1", "1.", "0x", "_", "1e", "-", ".inf", "2026-01-01")


def yamls() -> st.SearchStrategy[bytes]:
    """Texts that are nearly YAML, deep, long, or no text at all."""
    piece = st.one_of(st.sampled_from(SYNTAX + LINES + NUMBERS), st.text(max_size=8))
    run = st.builds(lambda text, times: text * times, piece, st.sampled_from((1, 1, 1, 2, 30, 4_000, 60_000)))
    lines = st.lists(run, max_size=10).map(lambda runs: "".join(runs).encode("utf-8", "replace"))
    return st.one_of(
        lines,
        texts().map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=200),
        st.builds(lambda head, tail: head + b"\0" + tail, lines, lines),
    ).map(lambda content: content[: (1 << 20) + 10])


@QUICK
@given(yamls())
def test_faults_of_any_yaml_are_bounded_and_safe(content: bytes) -> None:
    with bounded(len(content)):
        fault = _fault(content)
    if fault is not None:
        assert is_safe(fault.describe())
        assert len(fault.message) <= 1_000
        assert len(fault.advice) <= 1_000


def _fault(content: bytes) -> Fault | None:
    try:
        read_yaml("config.yaml", content)
    except BrokenFileError as error:
        return error.fault
    return None


def _complaint(content: bytes) -> str:
    try:
        planning_snapshot_files(read_planning_snapshot(content))
    except PlanningSnapshotError as error:
        return str(error)
    return ""


@QUICK
@given(
    st.sampled_from(("config.yaml", "pricing.yaml", "adapters/kubernetes.yaml", workload_path(7))), st.data()
)
def test_faults_of_any_file_are_bounded_and_safe(path: str, data: st.DataObject) -> None:
    """A valid file with a part replaced; the reader reports any fault."""
    files = repository(7)
    good = files[path]
    at = data.draw(st.integers(0, len(good)))
    length = data.draw(st.integers(0, 12))
    files[path] = good[:at] + data.draw(yamls()) + good[at + length :]
    blobs = {name: str(number) for number, name in enumerate(files)}
    with bounded(len(files[path])):
        contents = {blobs[name]: content for name, content in files.items()}
        read = DesiredReader(PROVIDER).desired(Commit("c" * 40, OWNER, "", 0, blobs), {}, contents)
        for fault in read.faults:
            assert is_safe(fault.message)
            assert len(fault.message) <= 1_000


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(("1e999999", "-1", "NaN", "x" * 100_000, "9" * 10_000, "a/1/1/1", "ve1us/1/1/1/ve1us")),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def _replaced(tree: Any, where: list[int], by: Any) -> Any:
    """The tree with a replaced part."""
    if not where or not isinstance(tree, dict | list) or not tree:
        return by
    if isinstance(tree, list):
        at = where[0] % len(tree)
        return [*tree[:at], _replaced(tree[at], where[1:], by), *tree[at + 1 :]]
    name = sorted(tree)[where[0] % len(tree)]
    return {**tree, name: _replaced(tree[name], where[1:], by)}


ODD = (
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"9" * 100_000,
    b"1e" + b"9" * 50,
    b'{"version": "%s"}' % (b"x" * 10_000),
)
GOOD = json.loads(planning_snapshot_files(outlook())[FILE])


@QUICK
@given(st.lists(st.integers(0, 40), max_size=6), TREES)
def test_errors_of_any_snapshot_are_bounded_and_safe(where: list[int], part: Any) -> None:
    content = json.dumps(_replaced(GOOD, where, part)).encode()
    with bounded(len(content)):
        complaint = _complaint(content)
    assert len(complaint) < 2_000
    assert is_safe(complaint)


@QUICK
@given(
    st.one_of(
        yamls(), st.sampled_from((b"[" * 100_000, b'{"a":' * 50_000, b"9" * 100_000, b"1e" + b"9" * 50))
    )
)
def test_errors_of_other_content_are_bounded_and_safe(content: bytes) -> None:
    with bounded(len(content)):
        complaint = _complaint(content)
    assert len(complaint) < 2_000
    assert is_safe(complaint)
