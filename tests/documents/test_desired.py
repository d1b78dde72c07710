"""A commit's files to Desired: a bad file spoils only itself, an unchanged one is not read twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.documents import desired as desired_module
from reconciler.documents.desired import DesiredReader, validate
from reconciler.documents.files import FILE_BYTES_MAX, ParsedFile, parse_file
from reconciler.documents.model import FileModel
from reconciler.values.desired import Desired, Workload
from reconciler.values.ids import workload_id
from reconciler.values.repository import Commit
from tests.documents.texts import PRICING, PROVIDER, lease, repository, workload, workload_path
from tests.makers import has_errors

BROKEN = b"lease: {\n"


@dataclass
class History:
    """Commits of files, every blob that was ever in one, and the reader that they are read by."""

    reader: DesiredReader = field(default_factory=lambda: DesiredReader(PROVIDER))
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    def read(
        self, files: Mapping[str, bytes], good: Mapping[str, str], refused: Mapping[str, str] | None = None
    ) -> Desired:
        names = {path: hashlib.sha1(content).hexdigest() for path, content in files.items()}
        self.blobs |= {names[path]: content for path, content in files.items()}
        entries = sorted(names.items()), sorted((refused or {}).items())
        commit_id = hashlib.sha1(repr(entries).encode()).hexdigest()
        sizes = {path: len(content) for path, content in files.items()}
        commit = Commit(commit_id, "a", "b", 0, names, sizes, refused or {})
        self.asked = self.reader.unread(commit, good)
        return self.reader.desired(commit, good, {blob: self.blobs[blob] for blob in self.asked})


def test_a_valid_repository() -> None:
    made = History().read(repository(1, 2), {})
    assert not has_errors(made)
    assert made.pricing is not None
    assert made.config is not None
    assert list(made.adapters) == ["kubernetes"]
    assert set(made.workloads) == {workload_id(lease(1)), workload_id(lease(2))}
    assert set(made.valid_blobs) == set(repository(1, 2))


def test_a_broken_file_keeps_its_last_valid_version() -> None:
    history = History()
    first = history.read(repository(1, 2), {})
    files = repository(1, 2) | {workload_path(1): BROKEN, workload_path(2): workload(2, "paused: true")}
    second = history.read(files, first.valid_blobs)
    assert second.workloads[workload_id(lease(1))] == first.workloads[workload_id(lease(1))]
    assert second.workloads[workload_id(lease(2))].paused
    assert second.stale == {workload_path(1)}
    assert second.valid_blobs[workload_path(1)] == first.valid_blobs[workload_path(1)]
    assert has_errors(second)
    assert [fault.path for fault in second.faults] == [workload_path(1)]


def test_broken_prices_keep_the_last_valid_ones() -> None:
    history = History()
    first = history.read(repository(), {})
    second = history.read(
        repository() | {"pricing.yaml": PRICING.replace(b"1uve", b"1uakt", 1)}, first.valid_blobs
    )
    assert second.pricing == first.pricing
    assert second.stale == {"pricing.yaml"}


def test_a_file_without_a_valid_version_gives_no_object() -> None:
    made = History().read(repository() | {"pricing.yaml": BROKEN, workload_path(1): BROKEN}, {})
    assert made.pricing is None
    assert made.workloads == {}
    assert made.stale == frozenset()


def test_a_missing_required_file_is_a_fault_and_its_last_good_version_stays() -> None:
    history = History()
    first = history.read(repository(), {})
    files = repository()
    del files["pricing.yaml"]
    second = history.read(files, first.valid_blobs)
    assert second.pricing == first.pricing
    assert [fault.describe() for fault in second.faults] == [
        "pricing.yaml: the file is missing (add it; `provider-daemon init` writes a template)"
    ]


def test_a_deleted_workload_file_is_not_a_fault() -> None:
    history = History()
    first = history.read(repository(1, 2), {})
    second = history.read(repository(1), first.valid_blobs)
    assert set(second.workloads) == {workload_id(lease(1))}
    assert not has_errors(second)


def test_a_link_in_place_of_the_folder_hides_no_workload() -> None:
    history = History()
    first = history.read(repository(1), {})
    second = history.read(
        repository(), first.valid_blobs, {"workloads": "a symbolic link, which is not followed"}
    )
    assert second.workloads == first.workloads
    assert second.stale == {workload_path(1)}
    assert [fault.describe() for fault in second.faults] == [
        "workloads: a symbolic link, which is not followed"
    ]


def test_links_outside_of_our_paths_are_ignored() -> None:
    assert not has_errors(History().read(repository(), {}, {"docs/link": "a symbolic link"}))


def test_an_unchanged_blob_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    first = history.read(repository(1, 2, 3), {})
    read: list[str] = []

    def counted(path: str, content: bytes, model: type[FileModel]) -> ParsedFile:
        read.append(path)
        return parse_file(path, content, model)

    monkeypatch.setattr(desired_module, "parse_file", counted)
    history.read(repository(1, 2, 3) | {workload_path(2): workload(2, "paused: true")}, first.valid_blobs)
    assert read == [workload_path(2)]
    assert len(history.asked) == 1


def parsed_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of what is parsed from now on."""
    parsed: list[int] = []

    def counted(path: str, content: bytes, model: type[FileModel]) -> ParsedFile:
        parsed.append(len(content))
        return parse_file(path, content, model)

    monkeypatch.setattr(desired_module, "parse_file", counted)
    return parsed


def test_one_content_at_many_paths_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = parsed_bytes(monkeypatch)
    content = workload(1) + b"#" * 20_000
    found = History().read(repository() | {workload_path(n): content for n in range(1, 61)}, {})
    assert parsed.count(len(content)) == 1
    assert [each.path for each in found.workloads.values()] == [workload_path(1)]
    assert {fault.path for fault in found.faults} == {workload_path(n) for n in range(2, 61)}


def test_faults_of_one_content_name_each_path(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = parsed_bytes(monkeypatch)
    found = History().read(repository() | {workload_path(n): BROKEN for n in (1, 2)}, {})
    assert parsed.count(len(BROKEN)) == 1
    assert {fault.path for fault in found.faults} == {workload_path(1), workload_path(2)}


def test_an_oversized_revision_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    first = history.read(repository(1, 2), {})
    monkeypatch.setattr(desired_module, "REVISION_BYTES_MAX", 50_000)
    parsed = parsed_bytes(monkeypatch)
    large = {workload_path(n): workload(n) + b"#%d" % n * 10_000 for n in range(1, 10)}
    found = history.read(repository(1, 2) | large, first.valid_blobs)
    assert sum(parsed) <= 50_000
    assert workload_path(2) in found.valid_blobs
    refused = [fault.path for fault in found.faults]
    assert workload_path(9) in refused
    assert "exceed 50000 bytes" in found.faults[-1].message
    assert sum(len(history.blobs[blob]) for blob in history.asked) <= 50_000


@pytest.mark.parametrize("has_journal", [True, False])
def test_oversized_files_displace_no_others_after_a_restart(
    monkeypatch: pytest.MonkeyPatch, has_journal: bool
) -> None:
    """By their names they would be read first; the process that read the others before is gone."""
    monkeypatch.setattr(desired_module, "REVISION_BYTES_MAX", 50_000)
    history = History()
    first = history.read(repository(50, 51), {})
    large = {workload_path(n): b"%d" % n * 20_000 for n in range(10, 19)}
    pushed = history.read(repository(50, 51) | large, first.valid_blobs)
    restarted = History(blobs=history.blobs)
    found = restarted.read(repository(50, 51) | large, pushed.valid_blobs if has_journal else {})
    assert set(found.workloads) == set(pushed.workloads) == set(first.workloads)
    assert found.faults == pushed.faults


def test_files_in_force_are_read_above_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = History().read(repository(1, 2), {}).valid_blobs
    monkeypatch.setattr(desired_module, "REVISION_BYTES_MAX", 10)
    found = History().read(repository(1, 2, 3), good)
    assert set(found.workloads) == {workload_id(lease(1)), workload_id(lease(2))}
    assert [fault.path for fault in found.faults] == [workload_path(3)]


def test_validate_reports_files_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desired_module, "REVISION_BYTES_MAX", 50_000)
    (fault,) = validate(repository(1) | {workload_path(2): b"#" * 60_000}, PROVIDER)
    assert (fault.path, fault.rule) == (workload_path(2), "files")


@pytest.mark.parametrize("path", ["pricing.yaml", workload_path(1)])
def test_a_pointer_of_git_lfs_is_a_fault_in_the_loop_and_in_validate(path: str) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    files = repository(1) | {path: pointer}
    (fault,) = validate(files, PROVIDER)
    assert (fault.path, fault.message) == (path, "the file is a Git LFS pointer")
    assert History().read(files, {}).faults == (fault,)


def test_an_oversized_file_is_a_fault_in_the_loop_and_in_validate() -> None:
    files = repository(1) | {workload_path(1): b"#" * (FILE_BYTES_MAX + 1)}
    (fault,) = validate(files, PROVIDER)
    assert "at most 1048576 are read" in fault.message


def test_a_cached_commit_needs_no_blobs() -> None:
    history = History()
    good = history.read(repository(1), {}).valid_blobs
    again = history.read(repository(1), good)
    assert history.read(repository(1), good) is again
    assert history.asked == ()


def test_a_missing_blob_is_requested_again() -> None:
    reader = DesiredReader(PROVIDER)
    commit = Commit("c", "a", "b", 0, {"pricing.yaml": "p", "config.yaml": "q"})
    missing = reader.desired(commit, {}, {"q": b"kind: Config\n"})
    assert missing.pricing is None
    assert (
        missing.faults[0].describe() == "pricing.yaml: its content p is not in the repository (push it again)"
    )
    assert reader.unread(commit, {}) == ("p",)
    assert reader.desired(commit, {}, {"p": PRICING}).pricing is not None


def test_old_blobs_are_forgotten() -> None:
    history = History()
    for number in range(100):
        history.read(repository() | {workload_path(1): workload(1, f"# {number}")}, {})
    assert len(history.reader._read) < 40


def test_validate_takes_the_address_from_config() -> None:
    files = repository(1) | {"config.yaml": f"provider: {PROVIDER}\n".encode()}
    assert validate(files) == ()
    files["workloads/1-1-1-aaaaaaaaaa.yaml"] = workload(1)
    assert [fault.path for fault in validate(files)] == ["workloads/1-1-1-aaaaaaaaaa.yaml"]


def test_the_order_of_files_changes_nothing() -> None:
    files = repository(1, 2, 3) | {workload_path(2): BROKEN, "pricing.yaml": BROKEN}
    backwards = dict(reversed(list(files.items())))
    assert validate(files, PROVIDER) == validate(backwards, PROVIDER)


def test_misplaced_files_are_warned_about() -> None:
    faults = validate(repository() | {"pricing.yml": b"", "workloads/a/b.yaml": b""}, PROVIDER)
    assert [fault.describe() for fault in faults] == [
        "pricing.yml: warning: this file is not read (rename it to pricing.yaml)",
        "workloads/a/b.yaml: warning: this file is not read (move it directly into workloads/)",
    ]


def test_workloads_are_values() -> None:
    made = History().read(repository(1), {}).workloads
    assert all(isinstance(value, Workload) for value in made.values())
