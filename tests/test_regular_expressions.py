"""No regular expression takes more than linear time on text from outside."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.regular_expressions import METHODS, RATIO_MAX, Used, slowest

TIMEOUT_SECONDS = 600


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_every_pattern_is_found_and_linear() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.regular_expressions"],
        capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) > 150, "patterns are missing"
    _, methods, files, _, _ = zip(*(line.split("\t") for line in lines), strict=True)
    assert set(methods) <= METHODS
    assert set(files) >= {
        "cli/redaction.py", "forge/escaping.py", "documents/forms.py", "git/git_errors.py",
        "adapters/ansible/plays/module_utils/provider_inspect.py", "devnet/chain/message_fields.py",
        "manifests/sdl.py",  # by `partial`
    }  # fmt: skip
    slow = [line for line in lines if float(line.split("\t")[0]) > RATIO_MAX]
    assert not slow, "rewrite it, so that no part is scanned again from another start:\n" + "\n".join(slow)


SLOW = {
    "unbounded_prefix": (r"\b[\w-]*(?:password|token)\s*[=:]", "search"),
    "start_at_each_character": (r"\beyJ[\w-]{8,}\.[\w-]{8,}", "search"),
    "ambiguous_split_of_a_run": (r"[0-9][0-9_]*\.?[0-9_]*e", "match"),
    "missing_end": (r"\s*\[[^\]]*\]\s*$", "search"),
    "lookahead_from_each_comma": (r",(?![^()]*\))", "split"),
}


@pytest.mark.parametrize(("pattern", "method"), SLOW.values(), ids=SLOW)
def test_slow_patterns_are_detected(pattern: str, method: str) -> None:
    ratio, _, _ = slowest(Used("here", re.compile(pattern), frozenset({method})))
    assert ratio > RATIO_MAX
