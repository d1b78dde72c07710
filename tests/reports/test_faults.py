"""Faults in each format, with texts that would end a command, a property or a line."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from reconciler.reports.faults import RULES, github_of, gitlab_of, json_of, sarif_of, text_of
from reconciler.values.desired import Fault

ROOT = Path(__file__).parents[2]
SARIF = Draft4Validator(json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text()))
"""The published schema of SARIF 2.1.0, its descriptions left out."""

ERROR = Fault("pricing.yaml", 7, 8, 'pricing.gpu: "5uact" is in uact', "write 5uve")
WARNING = Fault("pricing.yml", 0, 0, "this file is not read", "rename it", warning=True, rule="files")
NASTY = Fault("workloads/a,b:c%\n.yaml", 1, 2, "50% of\r\n::error::lines", "x", rule="name")
FAULTS = (ERROR, WARNING, NASTY, NASTY)

texts = st.text(max_size=20) | st.sampled_from(["%0A", "::error::x", "a,b:c", "\r\n", "\x1b[31m", "`@all`"])
faults = st.builds(
    Fault,
    texts,
    st.integers(0, 9),
    st.integers(0, 9),
    texts,
    texts,
    st.booleans(),
    st.sampled_from([*RULES]),
)


def decoded(text: str) -> str:
    """As a runner reads a value of a command."""
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(code, sign)
    return text.replace("%25", "%")


def test_text_is_for_people() -> None:
    assert text_of((ERROR, WARNING), {"pricing.yaml": b"\xef\xbb\xbf\r\n" * 6 + b"  gpu: 5uact"}) == (
        'pricing.yaml:7:8: pricing.gpu: "5uact" is in uact (write 5uve)\n'
        "     7 |   gpu: 5uact\n"
        "       |        ^\n"
        "pricing.yml: warning: this file is not read (rename it)\n"
    )
    assert text_of((), {}) == ""


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [
        ("a\x1b[31m\tb: \u6f22x", 11, "a?[31m?b: ?x\n       |           ^"),
        ("x" * 150 + "y" + "z" * 150, 151, "x" * 50 + "y" + "z" * 49 + "\n       | " + " " * 50 + "^"),
    ],
)
def test_each_character_of_a_line_takes_one_column(line: str, column: int, shown: str) -> None:
    """Neither escapes nor wide characters nor long lines move the caret away."""
    text = text_of((Fault("f", 1, column, "wrong"),), {"f": line.encode()})
    assert text == f"f:1:{column}: wrong\n     1 | {shown}\n".replace("?", "\N{REPLACEMENT CHARACTER}")


def test_json_has_all_fields() -> None:
    first, second, *_ = json.loads(json_of(FAULTS))
    assert first == {
        "path": "pricing.yaml",
        "line": 7,
        "column": 8,
        "severity": "error",
        "rule": "content",
        "message": 'pricing.gpu: "5uact" is in uact',
        "advice": "write 5uve",
    }
    assert (second["line"], second["severity"]) == (0, "warning")


def test_github_commands() -> None:
    error, warning, nasty, _ = github_of(FAULTS).splitlines()
    assert error == (
        "::error file=pricing.yaml,line=7,col=8,title=provider-daemon content::"
        'pricing.gpu: "5uact" is in uact (write 5uve)'
    )
    assert warning == (
        "::warning file=pricing.yml,title=provider-daemon files::this file is not read (rename it)"
    )
    assert nasty == (
        "::error file=workloads/a%2Cb%3Ac%25%0A.yaml,line=1,col=2,title=provider-daemon name::"
        "50%25 of ::error::lines (x)"
    )


@given(st.lists(faults, max_size=4))
def test_a_fault_is_one_command_for_any_text(found: list[Fault]) -> None:
    lines = github_of(found).split("\n")
    assert len(lines) == len(found) + 1
    for line, fault in zip(lines, found, strict=False):
        head, _, message = line.removeprefix("::").partition("::")
        assert "\r" not in line
        properties = dict(each.split("=", 1) for each in head.split(" ", 1)[1].split(","))
        assert decoded(properties["file"]) == fault.path
        assert decoded(message) == (f"{fault.message} ({fault.advice})" if fault.advice else fault.message)


@given(st.lists(faults, max_size=4))
def test_sarif_matches_its_schema(found: list[Fault]) -> None:
    SARIF.validate(json.loads(sarif_of(found)))


def test_sarif_results() -> None:
    log = json.loads(sarif_of(FAULTS))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error", "error"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "pricing.yaml"},
        "region": {"startLine": 7, "startColumn": 8},
    }
    assert run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "workloads/a%2Cb%3Ac%25%0A.yaml"
    )


def test_the_schema_of_sarif_refuses() -> None:
    log = json.loads(sarif_of(FAULTS))
    log["runs"][0]["results"][0]["level"] = "critical"
    assert not SARIF.is_valid(log)


def test_gitlab_entries() -> None:
    first, second, *_ = json.loads(gitlab_of(FAULTS))
    assert first | {"fingerprint": ""} == {
        "description": 'pricing.gpu: "5uact" is in uact (write 5uve)',
        "check_name": "content",
        "fingerprint": "",
        "severity": "critical",
        "location": {"path": "pricing.yaml", "lines": {"begin": 7}},
    }
    assert (second["severity"], second["location"]["lines"]["begin"]) == ("minor", 1)


def marks(found: tuple[Fault, ...]) -> list[str]:
    return [each["fingerprint"] for each in json.loads(gitlab_of(found))]


def test_fingerprints_differ_and_stay_while_lines_move() -> None:
    assert len(set(marks(FAULTS))) == len(FAULTS)
    moved = Fault(ERROR.path, 70, 8, ERROR.message, ERROR.advice)
    assert marks((moved, *FAULTS[1:])) == marks(FAULTS)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_is_used(rule: str) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "reconciler").glob("[dv]*/*.py"))
    assert re.search(rf'rule(: str = field\(default)?="{rule}"', sources)


def test_no_fault_has_another_rule() -> None:
    for path in (ROOT / "reconciler" / "documents").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "rule":
                assert isinstance(node.value, ast.Constant)
                assert node.value.value in RULES, path
