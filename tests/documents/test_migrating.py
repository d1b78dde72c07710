"""Rewriting a file's form: only what must change changes, and what it means stays."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.config_model import ConfigFile, FirstConfigFile
from reconciler.documents.files import read_file
from reconciler.documents.host_model import HostFile
from reconciler.documents.kinds import KINDS, FileKind
from reconciler.documents.migrating import migrated, renamed
from reconciler.documents.model import API_VERSION, FIRST_VERSION
from tests.documents.texts import SHEET_PRICING, workload, workload_path

CONFIG, PRICING, *_, WORKLOAD = KINDS
HOST = FileKind("Host", "host.json", HostFile)


@dataclass(frozen=True)
class Case:
    name: str
    before: str
    after: str
    kind: FileKind = CONFIG


NEW = f"apiVersion: {API_VERSION}"
OLD = f"apiVersion: {FIRST_VERSION}"
KIND = "kind: Config"
NEWEST = f"{NEW}\n{KIND}\nusage: {{settle_before_expiry: 2h}}\n"

CASES = [
    Case("nothing is named", "bidding: {}\n", f"{NEW}\nkind: Config\nbidding: {{}}\n"),
    Case("the kind alone", "kind: Config\n", f"{NEW}\nkind: Config\n"),
    Case("the version alone", f"{OLD} # old\nbidding: {{}}\n", f"{NEW} # old\nkind: Config\nbidding: {{}}\n"),
    Case("no line end", OLD, f"{NEW}\nkind: Config"),
    Case("no line end, all there", f"{OLD}\nkind: Config", f"{NEW}\nkind: Config"),
    Case("quoted", f"'apiVersion': \"{FIRST_VERSION}\"\n{KIND}\n", f"'apiVersion': {API_VERSION}\n{KIND}\n"),
    Case("in the middle", f"kind: Config\n{OLD}\nsuspended: x\n", f"kind: Config\n{NEW}\nsuspended: x\n"),
    Case(
        "a key",
        "# a\nusage:   # b\n  every: 1h\n  expiry_margin : 2h  # c\n",
        f"# a\n{NEW}\nkind: Config\nusage:   # b\n  every: 1h\n  settle_before_expiry : 2h  # c\n",
    ),
    Case(
        "a quoted key in braces",
        'usage: {every: 1h, "expiry_margin": 2h}\n',
        f"{NEW}\nkind: Config\nusage: {{every: 1h, settle_before_expiry: 2h}}\n",
    ),
    Case("braces", "{suspended: x}\n", f"{{{NEW}, kind: Config, suspended: x}}\n"),
    Case("braces, empty", "{}", f"{{{NEW}, kind: Config}}"),
    Case("braces, version", f"{{ {OLD}, suspended: x }}", f"{{ {NEW}, kind: Config, suspended: x }}"),
    Case("indented", "---\n  # a\n  suspended: x\n", f"---\n  # a\n  {NEW}\n  {KIND}\n  suspended: x\n"),
    Case("indented, version", f"  {OLD}\n  suspended: x\n", f"  {NEW}\n  kind: Config\n  suspended: x\n"),
    Case("question marks", "? suspended\n: x\n", f"{NEW}\nkind: Config\n? suspended\n: x\n"),
    Case("line ends", "# é\r\nsuspended: x\r\n", f"# é\r\n{NEW}\r\nkind: Config\r\nsuspended: x\r\n"),
    Case("byte order mark", "\ufeffsuspended: é\n", f"\ufeff{NEW}\nkind: Config\nsuspended: é\n"),
    Case(
        "a text that looks like a key",
        'usage:\n  every: 1h\nsuspended: "expiry_margin: apiVersion"\n',
        f'{NEW}\nkind: Config\nusage:\n  every: 1h\nsuspended: "expiry_margin: apiVersion"\n',
    ),
    Case("already", NEWEST, NEWEST),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_migration_changes_only_what_it_must(case: Case) -> None:
    new = migrated("config.yaml", case.before.encode(), case.kind)
    assert new.decode() == case.after
    assert migrated("config.yaml", new, case.kind) == new


def test_the_sheets_own_prices() -> None:
    new = migrated("pricing.yaml", SHEET_PRICING, PRICING)
    head = f"{NEW}\nkind: Pricing\n".encode()
    assert new == SHEET_PRICING.replace(b"pricing:\n", head + b"pricing:\n", 1)


def test_a_workload_keeps_its_lists() -> None:
    text = workload(1, "apiVersion: provider.virtengine.dev/v1alpha1  # first")
    new = migrated(workload_path(1), text, WORKLOAD)
    assert new == text.replace(FIRST_VERSION.encode(), API_VERSION.encode())


def test_a_host_file() -> None:
    text = b"repository: {url: x}\nchain: {grpc: 'h:1', rpc: 'http://h:1', chain_id: c}\n"
    assert migrated("host.yaml", text, HOST) == f"{NEW}\nkind: Host\n".encode() + text


def test_renamed_keys_are_derived_from_the_models() -> None:
    assert renamed(FirstConfigFile, ConfigFile) == {("usage", "expiry_margin"): "settle_before_expiry"}
    assert renamed(ConfigFile, FirstConfigFile) == {("usage", "settle_before_expiry"): "expiry_margin"}
    for kind in KINDS:
        assert renamed(kind.model, kind.model) == {}


LINES = {
    "usage": ["usage:", "  every: 1h", "  expiry_margin: 2h"],
    "bidding": ["bidding: {enabled: false}"],
    "suspended": ["suspended: 'expiry_margin: 3h'"],
    "kind": ["kind: Config"],
    "version": [OLD],
    "images": ["images_denied:", "  - x/*", "  - z"],
}


@settings(max_examples=150, deadline=None)  # other processes share the machine
@given(
    st.lists(st.sampled_from(sorted(LINES)), min_size=1, unique=True),
    st.lists(st.sampled_from(["", "# c", "  # é c: d", "   "]), min_size=12, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_migration_keeps_the_value_and_every_line(
    keys: list[str], comments: list[str], end: str, bom: bool
) -> None:
    lines = [line for key in keys for line in LINES[key]]
    spread = [each for pair in zip(comments, lines, strict=False) for each in pair]
    text = ("\ufeff" if bom else "") + "".join(line + end for line in spread)
    new = migrated("config.yaml", text.encode(), CONFIG)
    before, after = (read_file("config.yaml", each, ConfigFile, None) for each in (text.encode(), new))
    assert after.value == before.value is not None
    assert migrated("config.yaml", new, CONFIG) == new
    kept = new.decode().replace("settle_before_expiry", "expiry_margin").replace(API_VERSION, FIRST_VERSION)
    added = ("version" not in keys) + ("kind" not in keys)
    here, there = (each.removeprefix("\ufeff").split(end) for each in (text, kept))
    rest = iter(there)
    assert all(line in rest for line in here), "each line stays, in its order"
    assert len(there) == len(here) + added
