"""One line changes, and no other byte."""

from __future__ import annotations

import pytest

from reconciler.cli.repository.init import template_directory
from reconciler.cli.repository.suspended_line import NotPlainError, with_suspended

TEMPLATE = (template_directory() / "config.yaml").read_text()
REASONS = ("the hoster moves racks", 'a "quote": # and a hash', "ünï — code", "no")


@pytest.mark.parametrize("reason", REASONS)
def test_suspend_and_resume_restore_the_text(reason: str) -> None:
    changed = with_suspended(TEMPLATE, reason)
    assert changed.startswith(TEMPLATE)
    assert changed.count("\n") == TEMPLATE.count("\n") + 1
    assert with_suspended(changed, reason) == changed
    assert with_suspended(changed, "") == TEMPLATE


def test_a_comment_beside_it_stays() -> None:
    text = 'a: 1\nsuspended: ""  # who stopped it and why\nb: 2\n'
    changed = with_suspended(text, "flood")
    assert changed == 'a: 1\nsuspended: "flood"  # who stopped it and why\nb: 2\n'
    assert with_suspended(changed, "") == text


def test_another_reason_replaces_the_first() -> None:
    assert with_suspended("suspended: old words\na: 1", "new") == 'suspended: "new"\na: 1'


def test_an_empty_file_and_one_without_an_end_of_line() -> None:
    assert with_suspended("", "x") == 'suspended: "x"\n'
    assert with_suspended("a: 1", "x") == 'a: 1\nsuspended: "x"\n'


@pytest.mark.parametrize(
    "text",
    [
        "{bidding: {enabled: true}}\n",
        "suspended: >\n  long\n  words\n",
        "suspended: a\nsuspended: b\n",
        "- a list\n",
        "a: [\n",
    ],
)
def test_other_forms_are_an_error(text: str) -> None:
    with pytest.raises(NotPlainError):
        with_suspended(text, "x")
