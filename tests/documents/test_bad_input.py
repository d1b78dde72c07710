"""Bad files, one after the other: the exact message, and what went on working.

Each is put beside a good repository that was applied before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from reconciler.documents.desired import DesiredReader
from reconciler.values.desired import Desired
from reconciler.values.ids import workload_id
from reconciler.values.repository import Commit
from tests.documents.texts import PRICING, PROVIDER, SHEET_PRICING, lease, repository, workload, workload_path
from tests.makers import has_errors

W1, W2 = workload_path(1), workload_path(2)
BOMB = b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefghij")


@dataclass(frozen=True)
class Bad:
    """A file's new content (or why it is refused unread) and what is told of it."""

    name: str
    path: str
    content: bytes
    told: str
    refused: str = ""


TABLE = [
    Bad(
        "broken YAML",
        "pricing.yaml",
        PRICING.replace(b"cpu_millicores: 1uve", b"cpu_millicores: 1uve: x"),
        "pricing.yaml:4:23: not YAML: mapping values are not allowed in this context "
        '(put text that contains ": " in quotes, or check the indentation)',
    ),
    Bad(
        "unknown key",
        "pricing.yaml",
        PRICING.replace(b"cpu_millicores", b"cpu_milicores"),
        "pricing.yaml:3:1: pricing: the key cpu_millicores is missing "
        '(add it: Price of one millicore (a thousandth of a core) per block, such as "1uve".)\n'
        "pricing.yaml:4:3: pricing.cpu_milicores: unknown key cpu_milicores (did you mean cpu_millicores?)",
    ),
    Bad(
        "another denomination",
        "pricing.yaml",
        PRICING.replace(b"gpu: 20000uve", b"gpu: 20000uact"),
        'pricing.yaml:7:8: pricing.gpu: "20000uact" is in uact (only uve is accepted, convert to uve)',
    ),
    *(
        Bad(
            f"the RAM {ram}, which no order names",
            "pricing.yaml",
            PRICING.rstrip(b"\n") + f"\n  gpu_models: [{{ram: {ram}, price: 1uve}}]\n".encode(),
            f'pricing.yaml:9:22: pricing.gpu_models.0.ram: "{ram}" is not a RAM of GPUs '
            '(write it as orders do: "80Gi")',
        )
        for ram in ("80gi", "80")
    ),
    Bad(
        "an alias bomb",
        "config.yaml",
        BOMB,
        "config.yaml:1:4: the anchor &a is not supported (write the value out)",
    ),
    Bad(
        "25,000 deep",
        W1,
        b"[" * 25_000 + b"]" * 25_000,
        f"{W1}:1:33: the nesting exceeds 32 levels (reduce the nesting)",
    ),
    Bad(
        "5 MB",
        W1,
        b"#" * 5_000_000,
        f"{W1}: the file has 5000000 bytes; at most 1048576 are read (split it)",
    ),
    Bad(
        "5 MB, refused unread by the mirror",
        W1,
        b"",
        f"{W1}: the file has 5000000 bytes; at most 1048576 are read: split it",
        refused="the file has 5000000 bytes; at most 1048576 are read: split it",
    ),
    Bad(
        "a symlink out of the repository",
        W1,
        b"",
        f"{W1}: a symbolic link, which is not followed; put a plain file there",
        refused="a symbolic link, which is not followed; put a plain file there",
    ),
    Bad(
        "another version",
        W1,
        b"apiVersion: provider.virtengine.dev/v9\n" + workload(1),
        f'{W1}:1:13: apiVersion: "provider.virtengine.dev/v9" is not a supported version '
        "(write provider.virtengine.dev/v1beta1)",
    ),
    Bad(
        "another lease's name",
        W1,
        workload(2),
        f"{W1}:2:1: lease: the file of this lease must be named {W2.removeprefix('workloads/')} "
        "(change the lease to 1/1/1 if the file is a copy, or rename it)",
    ),
    Bad(
        "an empty file",
        "config.yaml",
        b"",
        "config.yaml:1:1: the file is empty (write its keys or remove the file)",
    ),
    Bad(
        "not UTF-8",
        "config.yaml",
        "kind: Config # é".encode("latin-1"),
        "config.yaml:1:16: byte 0xe9 is not UTF-8 (save the file as UTF-8)",
    ),
    Bad(
        "a tab",
        "config.yaml",
        b"bidding:\n\tenabled: false\n",
        "config.yaml:2:1: tabs are not allowed (use spaces)",
    ),
    Bad(
        "a merge conflict",
        "config.yaml",
        b"<<<<<<< HEAD\nkind: Config\n=======\n>>>>>>> x\n",
        "config.yaml:1:1: unresolved merge conflict (resolve it and remove the conflict markers)",
    ),
]


def blob(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def desired(
    reader: DesiredReader, files: Mapping[str, bytes], good: Mapping[str, str], **refused: str
) -> Desired:
    commit = Commit(
        blob(repr(sorted(files)).encode() + b"".join(files.values()) + repr(refused).encode()),
        "",
        "",
        0,
        {path: blob(content) for path, content in files.items()},
        unread_entries=refused,
    )
    return reader.desired(commit, good, {blob(content): content for content in files.values()})


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_a_faulty_file_is_reported_and_affects_only_itself(bad: Bad) -> None:
    reader = DesiredReader(PROVIDER)
    before = desired(reader, repository(1, 2), {})
    files = repository(1, 2) | {workload_path(2): workload(2, "paused: true"), bad.path: bad.content}
    if bad.refused:
        del files[bad.path]
    after = desired(reader, files, before.valid_blobs, **({bad.path: bad.refused} if bad.refused else {}))
    assert "\n".join(fault.describe() for fault in after.faults) == bad.told
    assert has_errors(after)
    assert (after.config, after.pricing, after.adapters) == (
        before.config,
        before.pricing,
        before.adapters,
    )
    assert after.workloads[workload_id(lease(1))] == before.workloads[workload_id(lease(1))]
    assert after.workloads[workload_id(lease(2))].paused, "the change beside the bad file counts"
    assert after.valid_blobs[bad.path] == before.valid_blobs[bad.path]


def test_a_renamed_file_is_reported_with_both_names() -> None:
    """A renamed file is a missing and a wrong one: nothing is taken from it, and nothing may be removed."""
    reader = DesiredReader(PROVIDER)
    before = desired(reader, repository(1, 2), {})
    files = repository(2) | {"workloads/web.yaml": workload(1)}
    after = desired(reader, files, before.valid_blobs)
    name = W1.removeprefix("workloads/")
    assert [fault.describe() for fault in after.faults] == [
        f"workloads/web.yaml:2:1: lease: the file of this lease must be named {name} "  # noqa: ISC004  # one line
        "(rename it, or remove it if that file exists)"
    ]
    assert has_errors(after)
    assert [*after.workloads] == [workload_id(lease(2))]


@pytest.mark.parametrize("provider", [PROVIDER, None])
def test_two_files_for_one_lease(provider: str | None) -> None:
    """With our address one of the names is wrong; without it, both are told of each other."""
    other = "workloads/1-1-1-aaaaaaaaaa.yaml"
    made = desired(DesiredReader(provider), repository(1) | {other: workload(1, image="nginx:2")}, {})
    assert has_errors(made)
    if provider:
        (fault,) = made.faults
        assert fault.path == other
        assert made.workloads[workload_id(lease(1))].services[0].image == "docker.io/library/nginx:1.27"
    else:
        (fault,) = made.faults
        assert (
            fault.describe() == f"{W1}:2:1: lease: {other} has the same lease (remove one of the two files)"
        )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_line_ends_and_a_byte_order_mark_change_nothing(mark: bytes, end: bytes) -> None:
    plain = repository(1)
    files = {path: mark + content.replace(b"\n", end) for path, content in plain.items()}
    made, expected = (desired(DesiredReader(PROVIDER), each, {}) for each in (files, plain))
    assert made.faults == ()
    assert (made.config, made.pricing, made.workloads) == (
        expected.config,
        expected.pricing,
        expected.workloads,
    )
    files["pricing.yaml"] = files["pricing.yaml"].replace(b"20000uve", b"20000uact")
    (fault,) = desired(DesiredReader(PROVIDER), files, {}).faults
    assert (fault.line, fault.column) == (7, 8)


def test_the_cheat_sheet_prices_are_used_with_a_warning() -> None:
    made = desired(DesiredReader(PROVIDER), repository(1) | {"pricing.yaml": SHEET_PRICING}, {})
    assert made.pricing is not None
    assert not has_errors(made)
    assert [fault.describe() for fault in made.faults] == [
        "pricing.yaml:2:1: warning: pricing: at these prices everything costs 1uve per block, "  # noqa: ISC004  # one line
        "up to 64 cores with 256 GiB (bids are rounded up to whole uve; raise the prices)"
    ]
