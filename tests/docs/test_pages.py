"""Commands, options, keys and links on the pages exist, and the pages are wrapped and indexed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.main import provider_daemon
from reconciler.cli.virtengine.main import virtengine

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "state-repo-template").rglob("*.md")])
WITH_COMMANDS = [DOCS / "guide.md", DOCS / "reasons.md", DOCS / "README.md", DOCS / "service" / "README.md"]
PROGRAMS: dict[str, click.Command] = {"provider-daemon": provider_daemon, "virtengine": virtengine}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_on(page: Path) -> Iterator[str]:
    """Calls of our programs in code blocks and inline code."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```", text)
    pieces = [line.split(" #")[0] for block in blocks for line in block.splitlines()]
    pieces += re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^ *```.*?^ *```", "", text))
    for piece in pieces:
        for part in re.split(r"&&|[|;]|(?<=\w), ", piece):
            if part.split(" ")[0].strip() in PROGRAMS:
                yield part.strip()


COMMANDS = [
    pytest.param(line, id=f"{name(page)}: {line}") for page in WITH_COMMANDS for line in commands_on(page)
]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_and_options_exist(line: str) -> None:
    """Every word up to the first option or argument is a command, which has every option."""
    program, *words = shlex.split(re.sub(r"<[^>]*>|\$\([^)]*\)", "X", line))
    command = PROGRAMS[program]
    context = click.Context(command, info_name=program)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    known |= {option for parameter in command.get_params(context) for option in parameter.secondary_opts}
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert options <= known | {"--version", "--help"}, line


def anchors(page: Path) -> set[str]:
    """The anchors that forges derive from headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = [
    pytest.param(page, target, id=f"{name(page)} -> {target}")
    for page in PAGES
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    if "://" not in target and "<" not in target
]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_resolve(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists()
    if anchor:
        assert anchor in anchors(found)


COLUMNS_MAX = 100
OTHER_PAGES = [ROOT / "ci" / "BRANCH-PROTECTION.md", ROOT / "tests" / "vectors" / "README.md"]
WRAPPED = [page for page in PAGES if page.parent.name != "reference"] + OTHER_PAGES


@pytest.mark.parametrize("page", WRAPPED, ids=name)
def test_prose_is_wrapped(page: Path) -> None:
    """Code, tables and a single link or inline code may be wider."""
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))
    text = re.sub(r"`[^`\n]+`", lambda code: code[0].replace(" ", "_"), text)
    prose = [line for line in text.splitlines() if not line.lstrip().startswith("|") and " " in line.strip()]
    assert [line for line in prose if len(line) > COLUMNS_MAX and not line.startswith("    ")] == []


def test_pages_have_commands_and_links() -> None:
    assert len(COMMANDS) > 50
    assert len(LINKS) > 80


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in DOCS.glob("*.md") if f"({path.name})" not in index]
    assert [each for each in missing if each != "README.md"] == []
    assert [path.name for path in DOCS.iterdir() if path.is_dir() and f"({path.name}/" not in index] == []


def test_named_keys_exist() -> None:
    """Compares keys such as `limits.price_min` with the reference."""
    rows = re.findall(r"(?m)^\| `([^`]+)` \|", "".join(p.read_text() for p in DOCS.glob("reference/*.md")))
    known = {row.replace("[]", "") for row in rows}
    tops = {row.split(".")[0] for row in known}
    named = set()
    for page in (DOCS / "guide.md", DOCS / "reasons.md"):
        named |= set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)", page.read_text(encoding="utf-8")))
    wanted = {key for key in named if key.split(".")[0] in tops and not key.endswith((".yaml", ".md"))}
    assert len(wanted) > 15
    assert wanted - known == set()


@pytest.mark.parametrize("page", [DOCS / "architecture.md", ROOT / "CONTRIBUTING.md"], ids=name)
def test_named_files_exist(page: Path) -> None:
    """`values/pricing.py` and the like, from the repository or from `reconciler/`."""
    named = set(re.findall(r"`([\w./-]+/(?:\w+\.\w+)?)`", page.read_text(encoding="utf-8")))
    assert len(named) > 20
    assert [
        each
        for each in sorted(named)
        if not any((root / each).exists() for root in (ROOT, ROOT / "reconciler"))
    ] == []


def test_cited_chain_rules_exist() -> None:
    """Code cites the sections of `chain-rules.md` as "(semantics 2.2 A)"."""
    page = (DOCS / "chain-rules.md").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^#+ (\d+(?:\.\d+)?)\b", page)) | set(
        re.findall(r"(?m)^- \*\*([A-C])\.", page)
    )
    cited: dict[str, Path] = {}
    for path in [*(ROOT / "reconciler").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        for sections in re.findall(r"\(?semantics\s+(\d[\d., \nA-C]*)", path.read_text(encoding="utf-8")):
            cited |= dict.fromkeys(re.findall(r"\d+(?:\.\d+)?|\b[A-C]\b", sections), path)
    assert len(cited) > 40
    assert {section: name(path) for section, path in cited.items() if section not in known} == {}
