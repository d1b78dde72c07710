"""Three readers of one mind: our own `validate`, check-jsonschema in CI, and the language server in editors.

`corpus/good` is accepted by all, `corpus/bad` refused by all, and `corpus/only_validate` is what a schema
cannot say. `corpus/editors_accept` is refused by all but editors. Each file of the last two says in its
second line why. What no file can show by itself is at the end.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.documents.desired import validate
from reconciler.documents.document import Node
from reconciler.documents.kinds import KINDS, SINGLE, WORKLOADS
from reconciler.documents.schemas import HOST
from reconciler.documents.yaml_writer import write_yaml
from tests.agreement.checkers import SCHEMAS, refused_by_schema, refused_by_us, schema_of
from tests.agreement.language_server import running
from tests.documents.test_schemas import GOOD, ODD, changed, places, without
from tests.documents.texts import OWNER, PROVIDER, repository, workload, workload_path

Checker = Callable[[Iterable[Path]], Mapping[Path, list[str]]]

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("*/*/*.yaml"))
KIND_NAMES = {kind.schema.removesuffix(".json") for kind in (*KINDS, HOST)}
MODELINE = "# yaml-language-server: $schema="
PER_KIND = 60


def by_editor(paths: Iterable[Path]) -> Mapping[Path, list[str]]:
    with running() as server:
        return server.errors(paths)


BOTH = [pytest.param(refused_by_us, id="validate"), pytest.param(refused_by_schema, id="check-jsonschema")]
ALL = [*BOTH, pytest.param(by_editor, id="yaml-language-server", marks=pytest.mark.live)]


def name(path: Path) -> str:
    return path.relative_to(CORPUS).as_posix()


def of(verdict: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(CORPUS).parts[0] == verdict]


def test_the_corpus_has_both_for_every_kind() -> None:
    assert {path.parent.name for path in of("good")} == KIND_NAMES
    assert {path.parent.name for path in of("bad")} == KIND_NAMES
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=name)
def test_each_file_names_its_schema(path: Path) -> None:
    first, second, *_ = path.read_text().splitlines()
    assert first.startswith(MODELINE)
    assert (path.parent / first.removeprefix(MODELINE)).resolve() == schema_of(path)
    if path in (*of("only_validate"), *of("editors_accept")):
        assert re.fullmatch(r"# .{20,}", second), "why they do not agree"


@pytest.mark.parametrize("checker", ALL)
def test_good_files_are_accepted(checker: Checker) -> None:
    assert {name(path): told for path, told in checker(of("good")).items() if told} == {}


@pytest.mark.parametrize("checker", ALL)
def test_bad_files_are_refused(checker: Checker) -> None:
    assert [name(path) for path, told in checker(of("bad")).items() if not told] == []


@pytest.mark.parametrize("checker", BOTH)
def test_what_editors_accept_is_refused_all_the_same(checker: Checker) -> None:
    assert [name(path) for path, told in checker(of("editors_accept")).items() if not told] == []


@pytest.mark.live
def test_editors_accept_it() -> None:
    assert {name(path): told for path, told in by_editor(of("editors_accept")).items() if told} == {}


def test_validate_rejects_cross_file_faults() -> None:
    assert [name(path) for path, told in refused_by_us(of("only_validate")).items() if not told] == []


@pytest.mark.parametrize("checker", ALL[1:])
def test_and_the_others_accept_it(checker: Checker) -> None:
    """A schema that learns to say it moves the file to `bad`."""
    assert {name(path): told for path, told in checker(of("only_validate")).items() if told} == {}


UNITS = ("cpu_millicores", "memory_mb", "storage_mb", "gpu")
PRICES = "pricing:\n" + "".join(f"  {unit}: 1uve\n" for unit in UNITS) + "  profit_margin: 0\n"
ENCODED: dict[str, tuple[bytes, bool, bool]] = {
    "line ends of Windows": (PRICES.replace("\n", "\r\n").encode(), True, True),
    "a byte order mark": (b"\xef\xbb\xbf" + PRICES.encode(), True, True),
    "Latin-1": ("# \u00e9\n".encode("latin-1") + PRICES.encode(), False, False),
    "a zero": (b"# \x00\n" + PRICES.encode(), False, False),
    "UTF-16": (PRICES.encode("utf-16"), False, True),
}
"""Bytes, whether we accept them, and whether check-jsonschema does; an editor decodes by itself."""


@pytest.mark.parametrize("case", sorted(ENCODED))
def test_encodings(case: str, tmp_path: Path) -> None:
    content, ours, theirs = ENCODED[case]
    path = tmp_path / "pricing" / "pricing.yaml"
    path.parent.mkdir()
    path.write_bytes(content)
    assert (not refused_by_us([path])[path]) is ours
    assert (not refused_by_schema([path])[path]) is theirs


def variants() -> dict[str, list[dict[str, Node]]]:
    """Good documents with one value replaced, removed or added, the same ones in every run."""
    chance = random.Random(6)
    made: dict[str, list[dict[str, Node]]] = {}
    for kind in KINDS:
        found = [changed(good, at, odd) for good in GOOD[kind.name] for at in places(good)[1:] for odd in ODD]
        found += [without(good, at) for good in GOOD[kind.name] for at in places(good)[1:]]
        made[kind.schema.removesuffix(".json")] = chance.sample(found, min(PER_KIND, len(found)))
    return made


def written(folder: Path) -> list[Path]:
    paths = []
    for kind, documents in variants().items():
        (folder / kind).mkdir()
        for number, document in enumerate(documents):
            path = folder / kind / f"{number}.yaml"
            modeline = f"{MODELINE}{SCHEMAS / f'{kind}.json'}\n"
            path.write_bytes(modeline.encode() + write_yaml(document))
            paths.append(path)
    return paths


def test_every_error_has_its_place_and_advice(tmp_path: Path) -> None:
    """Of the whole corpus, and of what nobody thought of."""
    paths = [*FILES, *written(tmp_path)]
    told = [(path, fault) for path, faults in refused_by_us(paths).items() for fault in faults]
    assert len(told) > 250
    assert [each for each in told if not re.fullmatch(r"(?s)\S+:[1-9]\d*:[1-9]\d*: .+ \(.+\)", each[1])] == []


@pytest.mark.parametrize("checker", ALL[1:])
def test_they_agree_on_files_that_nobody_thought_of(checker: Checker, tmp_path: Path) -> None:
    paths = written(tmp_path)
    ours, theirs = refused_by_us(paths), checker(paths)
    differ = [path for path in paths if bool(ours[path]) != bool(theirs[path])]
    assert [(path.read_text(), ours[path], theirs[path]) for path in differ] == []
    assert 30 < sum(not told for told in ours.values()) < len(paths) - 30


ACROSS: dict[str, dict[str, bytes]] = {
    "an adapter without a file": {workload_path(1): workload(1, "adapter: ansible")},
    "an adapter that is not enabled": {"adapters/kubernetes.yaml": b"enabled: false\n"},
    "an image that config.yaml denies": {"config.yaml": b'images_denied: ["nginx:*"]\n'},
    "two files for one lease": {"workloads/1-1-1-aaaaaaaaaa.yaml": workload(1)},
    "a file that is not named after its lease": {workload_path(2): workload(1)},
    "a file that is missing": {"pricing.yaml": b""},
}
"""What is wrong between files; each by itself is good to everyone."""


@pytest.mark.parametrize("case", sorted(ACROSS))
def test_cross_file_faults_are_found_by_validate_only(case: str, tmp_path: Path) -> None:
    files = {path: content for path, content in (repository(1) | ACROSS[case]).items() if content}
    assert [fault for fault in validate(files, PROVIDER) if not fault.warning] != []
    assert [fault for fault in validate(repository(1), PROVIDER) if not fault.warning] == []
    paths = []
    for number, (path, content) in enumerate(files.items()):
        model = SINGLE.get(path)
        folder = next(k.schema.removesuffix(".json") for k in KINDS if k.model is model or not model)
        folder = "workload" if path.startswith(WORKLOADS) else folder
        target = tmp_path / folder / f"{number}.yaml"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        paths.append(target)
    assert {path.name: told for path, told in refused_by_schema(paths).items() if told} == {}


def test_a_provider_that_is_another_is_seen_by_validate() -> None:
    files = repository(1) | {"config.yaml": f"provider: {OWNER}\n".encode()}
    assert [fault.path for fault in validate(files, PROVIDER)] == ["config.yaml"]


@pytest.mark.live
def test_an_editor_checks_and_completes_a_new_repository(tmp_path: Path) -> None:
    """By the modelines of the template, which lead to the schemas that `init` put beside it."""
    assert run_command(provider_daemon, ["init", str(tmp_path)]) == 0
    files = [tmp_path / path for path in SINGLE]
    with running() as server:
        assert server.errors(files) == {path: [] for path in files}
        pricing = tmp_path / "pricing.yaml"
        lines = pricing.read_text().splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("  gpu:"))
        lines[at] = "  "
        pricing.write_text("\n".join(lines))
    with running() as server:
        assert server.errors([pricing])[pricing] == ['Missing property "gpu".']
        assert "gpu" in server.completions(pricing, at, 2)


@pytest.mark.live
@pytest.mark.parametrize(
    ("head", "proposed"),
    [
        (
            "apiVersion: provider.virtengine.dev/v1beta1\n",
            {"meter", "min_gain", "settle_before_expiry", "unfunded_grace"},
        ),
        (
            "apiVersion: provider.virtengine.dev/v1alpha1\n",
            {"meter", "min_gain", "expiry_margin", "unfunded_grace"},
        ),
        ("", {"meter", "min_gain", "expiry_margin", "unfunded_grace"}),
    ],
)
def test_an_editor_proposes_the_keys_of_the_files_form(head: str, proposed: set[str], tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"{MODELINE}{SCHEMAS / 'config.json'}\n{head}usage:\n  every: 1h\n  \n")
    with running() as server:
        assert server.errors([config]) == {config: []}
        assert server.completions(config, 3 + bool(head), 2) == proposed
