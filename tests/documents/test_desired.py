"""A commit's files to Desired: a bad file spoils only itself, an unchanged one is not read twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.documents import desired as desired_module
from reconciler.documents.desired import Reader, validate
from reconciler.documents.files import ReadFile, read_file
from reconciler.documents.model import FileModel
from reconciler.values.desired import Desired, Workload
from reconciler.values.ids import workload_id
from reconciler.values.repository import Commit
from tests.documents.texts import PRICING, PROVIDER, lease, repository, workload, workload_path

BROKEN = b"lease: {\n"


@dataclass
class History:
    """Commits of files, every blob that was ever in one, and the reader that they are read by."""

    reader: Reader = field(default_factory=lambda: Reader(PROVIDER))
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    def read(
        self, files: Mapping[str, bytes], good: Mapping[str, str], refused: Mapping[str, str] | None = None
    ) -> Desired:
        names = {path: hashlib.sha1(content).hexdigest() for path, content in files.items()}
        self.blobs |= {names[path]: content for path, content in files.items()}
        commit_id = hashlib.sha1(repr(sorted(names.items())).encode()).hexdigest()
        commit = Commit(commit_id, "a", "b", 0, names, refused=refused or {})
        self.asked = self.reader.unread(commit, good)
        return self.reader.desired(commit, good, {blob: self.blobs[blob] for blob in self.asked})


def test_a_whole_repository() -> None:
    made = History().read(repository(1, 2), {})
    assert made.whole
    assert made.pricing is not None
    assert made.config is not None
    assert made.kubernetes is not None
    assert made.ansible is None
    assert set(made.workloads) == {workload_id(lease(1)), workload_id(lease(2))}
    assert set(made.good) == set(repository(1, 2))


def test_a_broken_file_keeps_its_last_good_version_and_spoils_no_other() -> None:
    history = History()
    first = history.read(repository(1, 2), {})
    files = repository(1, 2) | {workload_path(1): BROKEN, workload_path(2): workload(2, "paused: true")}
    second = history.read(files, first.good)
    assert second.workloads[workload_id(lease(1))] == first.workloads[workload_id(lease(1))]
    assert second.workloads[workload_id(lease(2))].paused
    assert second.stale == {workload_path(1)}
    assert second.good[workload_path(1)] == first.good[workload_path(1)]
    assert not second.whole
    assert [fault.path for fault in second.faults] == [workload_path(1)]


def test_broken_prices_leave_the_last_good_ones_in_force() -> None:
    history = History()
    first = history.read(repository(), {})
    second = history.read(repository() | {"pricing.yaml": PRICING.replace(b"1uve", b"1uakt", 1)}, first.good)
    assert second.pricing == first.pricing
    assert second.stale == {"pricing.yaml"}


def test_without_a_good_version_there_is_no_object() -> None:
    made = History().read(repository() | {"pricing.yaml": BROKEN, workload_path(1): BROKEN}, {})
    assert made.pricing is None
    assert made.workloads == {}
    assert made.stale == frozenset()


def test_a_missing_required_file_is_a_fault_and_its_last_good_version_stays() -> None:
    history = History()
    first = history.read(repository(), {})
    files = repository()
    del files["pricing.yaml"]
    second = history.read(files, first.good)
    assert second.pricing == first.pricing
    assert [fault.show() for fault in second.faults] == [
        "pricing.yaml: the file is missing (add it; `provider-daemon init` writes one to start from)"
    ]


def test_a_deleted_workload_file_is_gone_and_no_fault() -> None:
    history = History()
    first = history.read(repository(1, 2), {})
    second = history.read(repository(1), first.good)
    assert set(second.workloads) == {workload_id(lease(1))}
    assert second.whole


def test_a_link_in_place_of_the_folder_hides_no_workload() -> None:
    history = History()
    first = history.read(repository(1), {})
    second = history.read(repository(), first.good, {"workloads": "a symbolic link, which is not followed"})
    assert second.workloads == first.workloads
    assert second.stale == {workload_path(1)}
    assert [fault.show() for fault in second.faults] == ["workloads: a symbolic link, which is not followed"]


def test_links_elsewhere_are_nobodys_business() -> None:
    assert History().read(repository(), {}, {"docs/link": "a symbolic link"}).whole


def test_an_unchanged_blob_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    first = history.read(repository(1, 2, 3), {})
    read: list[str] = []

    def counted(path: str, content: bytes, model: type[FileModel], provider: str | None) -> ReadFile:
        read.append(path)
        return read_file(path, content, model, provider)

    monkeypatch.setattr(desired_module, "read_file", counted)
    history.read(repository(1, 2, 3) | {workload_path(2): workload(2, "paused: true")}, first.good)
    assert read == [workload_path(2)]
    assert len(history.asked) == 1


def test_the_same_commit_is_made_once_and_asks_for_nothing() -> None:
    history = History()
    good = history.read(repository(1), {}).good
    again = history.read(repository(1), good)
    assert history.read(repository(1), good) is again
    assert history.asked == ()


def test_a_blob_that_could_not_be_got_is_asked_for_again() -> None:
    reader = Reader(PROVIDER)
    commit = Commit("c", "a", "b", 0, {"pricing.yaml": "p", "config.yaml": "q"})
    missing = reader.desired(commit, {}, {"q": b"kind: Config\n"})
    assert missing.pricing is None
    assert missing.faults[0].show() == "pricing.yaml: its content p is not in the repository (push it again)"
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
    assert [fault.show() for fault in faults] == [
        "pricing.yml: warning: this file is not read (rename it to pricing.yaml)",
        "workloads/a/b.yaml: warning: this file is not read (put it right into workloads/)",
    ]


def test_workloads_are_values() -> None:
    made = History().read(repository(1), {}).workloads
    assert all(isinstance(value, Workload) for value in made.values())
