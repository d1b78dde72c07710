"""Attribute keys match as Go's `filepath.Match` matches them: its own table, and what is slow elsewhere."""

from __future__ import annotations

from time import process_time

import pytest

from reconciler.values.key_patterns import has_match, matches

FIT = [
    ("abc", "abc"), ("*", "abc"), ("*c", "abc"), ("a*", "a"), ("a*", "abc"), ("a**", "abc"),
    ("a*/b", "abc/b"), ("a*b*c*d*e*/f", "axbxcxdxe/f"), ("a*b*c*d*e*/f", "axbxcxdxexxx/f"),
    ("a*b?c*x", "abxbbxdbxebxczzx"), ("ab[c]", "abc"), ("ab[b-d]", "abc"), ("ab[^e-g]", "abc"),
    ("a\\*b", "a*b"), ("[\\]a]", "]"), ("[\\-]", "-"), ("[x\\-]", "x"), ("[x\\-]", "-"), ("[\\-x]", "x"),
    ("[\\-x]", "-"), ("*x", "xxx"), ("a[^b]c", "a/c"), ("[^b-a]", "c"), ("a]-^", "a]-^"),
]  # fmt: skip
UNFIT = [
    ("a*", "ab/c"), ("a*/b", "a/c/b"), ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f"), ("a*b", "a/b"), ("a?b", "a/b"),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/fff"), ("a*b?c*x", "abxbbxdbxebxczzy"), ("ab[e-g]", "abc"),
    ("ab[^c]", "abc"), ("ab[^b-d]", "abc"), ("a\\*b", "ab"), ("[x\\-]", "z"), ("[!a]", "b"), ("A*", "abc"),
    ("[b-a]", "a"), ("", "a"), ("*[/a]*z", "a/z"),
]  # fmt: skip
MALFORMED = ["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "[^]", "a[", "*\\"]


@pytest.mark.parametrize(("pattern", "key"), FIT)
def test_matching_patterns(pattern: str, key: str) -> None:
    assert matches(pattern, key)


@pytest.mark.parametrize(("pattern", "key"), UNFIT)
def test_patterns_that_do_not_match(pattern: str, key: str) -> None:
    assert not matches(pattern, key)


@pytest.mark.parametrize("pattern", MALFORMED)
def test_a_malformed_pattern_matches_nothing(pattern: str) -> None:
    assert not any(matches(pattern, key) for key in ("", "a", "b", "x", "-", "]", "]a", pattern))


def test_the_value_is_literal() -> None:
    assert has_match(("reg*", "eu"), [("region", "eu")])
    assert not has_match(("region", "*"), [("region", "eu")])


def test_many_stars_cost_no_more_than_pattern_times_key() -> None:
    began = process_time()
    assert not matches("*a" * 127 + "b", "a" * 255)
    assert not matches("*" + "?" * 127 + "*" * 100 + "b", "a" * 255)
    assert process_time() - began < 1
