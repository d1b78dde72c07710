"""A commit's files to Desired: a faulty file affects only itself, an unchanged file is never parsed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from reconciler.documents.crosschecks import bound_faults, cross_faults
from reconciler.documents.files import ParsedFile, ReadFile, Value, parse_file, read_file, value_of
from reconciler.documents.kinds import (
    CONFIG,
    PRICING,
    REQUIRED,
    SINGLE,
    adapter_at,
    is_ours,
    meant_path,
    misplaced_file_advice,
    model_at,
)
from reconciler.documents.model import FileModel
from reconciler.values.desired import (
    AdapterSettings,
    Config,
    Desired,
    Fault,
    Fix,
    Pricing,
    Workload,
)
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.repository import Commit
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache
from reconciler.values.same import differing_names

Kind = TypeVar("Kind")

REVISION_BYTES_MAX = 8 * 1024 * 1024
"""Distinct contents read per revision; the slowest take about 6 seconds per megabyte to parse."""

TEMPLATE_ADVICE = "add it; `provider-daemon init` writes a template"

COMMITS_CACHED = 2
"""Each cycle reads the newest commit and the one in force."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The version of one file in force (None: there is none) with its blob, whether it replaces a faulty one,
    and the faults of the newest version.
    """

    file: ReadFile | None
    blob: str = ""
    is_stale: bool = False
    faults: tuple[Fault, ...] = ()


class _Parsing:
    """Parses each distinct content of a revision once."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self._parsed: dict[tuple[type[FileModel], str], ParsedFile] = {}

    def parsed(self, path: str, blob: str) -> ParsedFile:
        """The parsed content of a blob."""
        model = model_at(path)
        assert model is not None, "only paths with a model are parsed"
        if (model, blob) not in self._parsed:
            self._parsed[model, blob] = parse_file(path, self.contents[blob], model)
        return self._parsed[model, blob]


class DesiredReader:
    """Turns commits into Desired and caches each blob's value; not thread-safe.

    `provider` is the provider's address, from which names of workload files are derived; None if unknown.
    """

    def __init__(self, provider: str | None) -> None:
        self._provider = provider
        self._read: dict[tuple[str, str], ReadFile] = {}
        self._complete: tuple[Mapping[str, str], ...] = ({}, {})
        self._made: dict[str, tuple[Mapping[str, str] | None, Desired]] = {}
        self._results = ResultCache()

    def unread(self, commit: Commit, good: Mapping[str, str]) -> tuple[str, ...]:
        """The blobs whose bytes `desired` needs: this commit's and the last good ones, unless cached."""
        if self._known(commit, good) is not None:
            return ()
        beyond = self._beyond_limit(commit, good)
        wanted = {
            (path, files[path])
            for files, before in zip(self._inputs(commit, good), self._complete, strict=True)
            for path in differing_names(before, files)
            if path in files and model_at(path) and not (files is not good and path in beyond)
        }
        return tuple(sorted({blob for path, blob in wanted if (path, blob) not in self._read}))

    def _inputs(self, commit: Commit, good: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
        """The blobs of the commit's files and of the last good ones, as objects of earlier revisions."""
        return self._results.same_each("files", commit.files), self._results.same_each("good files", good)

    def desired(self, commit: Commit, good: Mapping[str, str], contents: Mapping[str, bytes]) -> Desired:
        """The commit's desired state; a faulty file's object keeps its version in `good` (path -> blob).

        `contents` are the bytes of the blobs from `unread`; a missing one is a fault of its file.
        """
        known = self._known(commit, good)
        if known is not None:
            return known
        is_complete = all(blob in contents for blob in self.unread(commit, good))
        # a missing content may be available next time
        results = self._results if is_complete else ResultCache()
        choices = self._choices(commit, good, contents, results)
        files, _ = self._inputs(commit, good)
        faults = [
            *_commit_faults(commit, files, results),
            *map(_size_fault, self._beyond_limit(commit, good)),
        ]
        desired = _assemble(commit.id, choices, faults, results)
        if is_complete:
            is_whole = len(desired.valid_blobs) == len(choices) and not desired.stale
            needs_good = not is_whole or commit.unread_entries or self._exceeds_limit(commit)
            self._keep(commit, good, desired)
            self._made[commit.id] = good if needs_good else None, desired
        return desired

    def _keep(self, commit: Commit, good: Mapping[str, str], desired: Desired) -> None:
        self._forget_all_but(commit.files, good, desired.valid_blobs)
        self._complete = ({}, {}) if self._beyond_limit(commit, good) else self._inputs(commit, good)
        self._made = {commit.id: (good, desired), **{i: m for i, m in self._made.items() if i != commit.id}}
        while len(self._made) > COMMITS_CACHED:
            self._made.popitem()

    def _known(self, commit: Commit, good: Mapping[str, str]) -> Desired | None:
        made = self._made.get(commit.id)
        return made[1] if made and made[0] in (None, good) else None

    def _choices(
        self, commit: Commit, good: Mapping[str, str], contents: Mapping[str, bytes], results: ResultCache
    ) -> Mapping[str, _Choice]:
        """The version in force of each file that has a model, in the order of the paths."""
        parsing, beyond = _Parsing(contents), self._beyond_limit(commit, good)
        files, valid = self._inputs(commit, good)
        odd = commit.unread_entries
        hidden = [path for path in good if path in odd or path.split("/")[0] in odd] if odd else []
        missing = sorted({*REQUIRED, *hidden} - files.keys())
        named = results.reuse_each("names of files", KeyedInputs(files, ()), lambda path: path)
        paths = results.reuse("paths", (named, *missing), lambda: dict.fromkeys(sorted([*named, *missing])))

        def choice(path: str) -> _Choice | None:
            if model_at(path) is None:
                return None
            newest = self._file(path, files[path], parsing) if path in files and path not in beyond else None
            faults = newest.faults if newest else ()
            if newest is not None and newest.value is not None:
                return _Choice(newest, files[path], faults=faults)
            older = self._file(path, valid[path], parsing) if path in valid else None
            is_stale = older is not None and older.value is not None
            return _Choice(older if is_stale else None, valid[path] if is_stale else "", is_stale, faults)

        by_key = (KeyedInput(files), KeyedInput(valid), KeyedInput(dict.fromkeys(beyond)))
        return results.reuse_each("choices", KeyedInputs(paths, by_key), choice)

    def _file(self, path: str, blob: str, parsing: _Parsing) -> ReadFile:
        known = self._read.get((path, blob))
        if known is None:
            if blob not in parsing.contents:
                missing = Fault(
                    path, 0, 0, f"its content {blob[:12]} is not in the repository", "push it again"
                )
                return ReadFile(path, None, (missing,))
            known = self._read[path, blob] = value_of(path, parsing.parsed(path, blob), self._provider)
        return known

    def _exceeds_limit(self, commit: Commit) -> bool:
        """Whether some of its files may be beyond REVISION_BYTES_MAX."""
        total = self._results.reuse("bytes of files", (commit.sizes,), lambda: sum(commit.sizes.values()))
        return total > REVISION_BYTES_MAX

    def _beyond_limit(self, commit: Commit, good: Mapping[str, str]) -> frozenset[str]:
        return _beyond_limit(commit, good) if self._exceeds_limit(commit) else frozenset()

    def _forget_all_but(self, *kept: Mapping[str, str]) -> None:
        if len(self._read) <= 2 * len(kept[0]) + 16:
            return
        keys = {(path, blob) for files in kept for path, blob in files.items()}
        if len(self._read) > 2 * len(keys) + 16:
            self._read = {key: file for key, file in self._read.items() if key in keys}


def validate(
    files: Mapping[str, bytes],
    provider: str | None = None,
    refused: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> tuple[Fault, ...]:
    """All faults of a state repository's files (path -> bytes), ordered by position.

    `provider` defaults to the address in config.yaml; without both, only the numbers in the names of workload
    files are checked. `refused` are entries other than regular files, with the reason; `limits` bound prices.
    """
    faults = desired_of(files, provider, refused).faults
    if limits is None or PRICING not in files:
        return faults
    prices = read_file(PRICING, files[PRICING], SINGLE[PRICING], None)
    return tuple(sorted({*faults, *bound_faults(prices, limits)}))


def desired_of(
    files: Mapping[str, bytes], provider: str | None = None, refused: Mapping[str, str] | None = None
) -> Desired:
    """The desired state of a state repository's files (path -> bytes), as `validate` checks it."""
    sizes = {path: len(content) for path, content in files.items()}
    commit = Commit("", "", "", 0, {path: path for path in files}, sizes, refused or {})
    return DesiredReader(provider or provider_in_config(files)).desired(commit, {}, files)


def provider_in_config(files: Mapping[str, bytes]) -> str | None:
    """The provider's address that config.yaml names, if it is valid."""
    return read_file(CONFIG, files[CONFIG], SINGLE[CONFIG], None).provider if CONFIG in files else None


def _with_model(files: Mapping[str, str]) -> dict[str, str]:
    return {path: blob for path, blob in files.items() if model_at(path)}


def _beyond_limit(commit: Commit, good: Mapping[str, str]) -> frozenset[str]:
    """The files beyond REVISION_BYTES_MAX, which are not read. Files in force are always read and count
    first, then the shortest ones, so a new file never displaces one in force. The cache is ignored, so a
    restart changes nothing.
    """
    files, counted, beyond = _with_model(commit.files), set[str](), set[str]()
    room = REVISION_BYTES_MAX
    for path in sorted(
        files, key=lambda path: (good.get(path) != files[path], commit.sizes.get(path, 0), path)
    ):
        size = 0 if files[path] in counted else commit.sizes.get(path, 0)
        if size > room and good.get(path) != files[path]:
            beyond.add(path)
            continue
        counted.add(files[path])
        room -= size
    return frozenset(beyond)


def _size_fault(path: str) -> Fault:
    why = f"not read: with this file, the files read exceed {REVISION_BYTES_MAX} bytes"
    return Fault(path, 0, 0, why, "remove or shorten files", rule="files")


def _commit_faults(commit: Commit, files: Mapping[str, str], results: ResultCache) -> Iterable[Fault]:
    for path in REQUIRED:
        if path not in files and path not in commit.unread_entries:
            yield Fault(path, 0, 0, "the file is missing", TEMPLATE_ADVICE, rule="files")
    for path, why in commit.unread_entries.items():
        if is_ours(path):
            yield Fault(path, 0, 0, why, rule="files")
    misplaced = results.reuse_each("misplaced", KeyedInputs(files, ()), misplaced_file_advice)
    for path, advice in misplaced.items():
        fix = Fix(path, meant) if (meant := meant_path(path)) else None
        yield Fault(path, 0, 0, "this file is not read", advice, warning=True, rule="files", fix=fix)


def _assemble(
    commit: str, choices: Mapping[str, _Choice], faults: Iterable[Fault], results: ResultCache
) -> Desired:
    files = results.reuse_values("files in force", choices, lambda choice: choice.file)
    blobs = results.reuse_values("blobs in force", choices, lambda choice: choice.blob or None)
    odd = results.reuse_values("odd files", choices, _odd).items()
    adapters: Mapping[str, AdapterSettings]
    adapters = results.reuse_values("adapter files", files, lambda file: _settings(file.value))
    found = {
        *faults,
        *(fault for _, each in odd for fault in each.faults),
        *cross_faults(files, adapters, results),
    }
    return Desired(
        commit=commit,
        config=_value(Config, files.get(CONFIG)),
        pricing=_value(Pricing, files.get(PRICING)),
        adapters=results.reuse(
            "adapters", (adapters,), lambda: {adapter_at(path): each for path, each in adapters.items()}
        ),
        workloads=_workloads(files, results),
        faults=results.same("faults", tuple(sorted(found))),
        stale=frozenset(path for path, each in odd if each.is_stale),
        valid_blobs=blobs,
    )


def _workloads(files: Mapping[str, ReadFile], results: ResultCache) -> Mapping[WorkloadId, Workload]:
    """The workloads by their ids."""
    by_path = results.reuse_values("files of workloads", files, lambda file: _only(Workload, file.value))
    ids = results.reuse_values("ids of files", by_path, lambda workload: workload.id)
    paths = results.reuse("paths by id", (ids,), lambda: {name: path for path, name in ids.items()})
    inputs = KeyedInputs(paths, (KeyedInput(paths), KeyedInput(by_path, lambda path, file: (file.id,))))
    return results.reuse_each("desired workloads", inputs, lambda name: by_path[paths[name]])


def _odd(choice: _Choice) -> _Choice | None:
    """A choice with something to report."""
    return choice if choice.faults or choice.is_stale else None


def _settings(value: Value | None) -> AdapterSettings | None:
    return value if isinstance(value, AdapterSettings) else None


def _value(kind: type[Kind], file: ReadFile | None) -> Kind | None:
    return _only(kind, file.value) if file is not None else None


def _only(kind: type[Kind], value: Value | None) -> Kind | None:
    return value if isinstance(value, kind) else None
