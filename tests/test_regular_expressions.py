"""No text from outside makes a regular expression of ours slow: each takes time in proportion to its text."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.regular_expressions import METHODS, Used, cost, every, worst

TIMES_MAX = 400
"""So many times the time a byte of a plain pattern; a quadratic one takes thousands of times at 8 KiB."""
HARD_SECONDS = 600


def plain_cost() -> float:
    """Nanoseconds a byte of a plain linear pattern on this machine, now."""
    pattern = re.compile(r"(?:[a-c]|d)*e")
    return min(cost(pattern, "fullmatch", "ad" * (1 << 16)) for _ in range(5))


@pytest.mark.timeout(HARD_SECONDS)
def test_every_pattern_is_linear() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.regular_expressions"],
        capture_output=True, text=True, check=False, timeout=HARD_SECONDS,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) > 150, "patterns are missing"
    slow = [line for line in lines if float(line.split("\t")[0]) > TIMES_MAX * plain_cost()]
    assert not slow, "rewrite it, so that no part is scanned again from another start:\n" + "\n".join(slow)


SLOW = {
    "a prefix of any length": (r"\b[\w-]*(?:password|token)\s*[=:]", "search"),
    "a start at each character": (r"\beyJ[\w-]{8,}\.[\w-]{8,}", "search"),
    "two ways to split a run": (r"[0-9][0-9_]*\.?[0-9_]*e", "match"),
    "an end that does not come": (r"\s*\[[^\]]*\]\s*$", "search"),
    "a look ahead from each comma": (r",(?![^()]*\))", "split"),
}


@pytest.mark.parametrize(("pattern", "method"), SLOW.values(), ids=SLOW)
def test_slow_patterns_are_found(pattern: str, method: str) -> None:
    nanoseconds, _, _ = worst(Used("here", re.compile(pattern), frozenset({method})), 1 << 14)
    assert nanoseconds > TIMES_MAX * plain_cost()


def test_patterns_are_found_wherever_they_are() -> None:
    found = {(used.place, used.pattern.pattern): used.methods for used in every()}
    places = {place for place, _ in found}
    assert {"cli/redaction.py", "forge/escaping.py", "documents/forms.py", "git/git_errors.py"} <= places
    assert "adapters/ansible/plays/module_utils/provider_ask.py" in places
    assert "devnet/chain/figures.py" in places
    assert all(methods and methods <= METHODS for methods in found.values())
