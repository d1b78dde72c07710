"""Where a repository is on a forge, and what is no such place."""

from __future__ import annotations

import pytest

from reconciler.values.forge_repository import forge_repository


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com"),
        ("https://forge.example", "https://forge.example/api/v1"),
        ("https://forge.example/git/", "https://forge.example/git/api/v1"),
        ("https://forge.example/api/v1/", "https://forge.example/api/v1"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/v3"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1"),
        ("http://[::1]:3000", "http://[::1]:3000/api/v1"),
    ],
)
def test_addresses(url: str, api: str) -> None:
    made = forge_repository(url, "olga/state.git-1")
    assert (made.api, made.at("x")) == (api, f"{api}/repos/olga/state.git-1/x")


@pytest.mark.parametrize(
    ("url", "repository", "words"),
    [
        ("http://forge.example", "a/b", "not encrypted"),
        ("ftp://forge.example", "a/b", "write https://HOST"),
        ("forge.example", "a/b", "write https://HOST"),
        ("https://[", "a/b", "write https://HOST"),
        ("https://forge.example/api/v1?x=/api/v1", "a/b", "write https://HOST"),
        ("https://name:secret@forge.example", "a/b", "no token"),
        ("https://forge.example", "a", "write OWNER/NAME"),
        ("https://forge.example", "a/b/c", "write OWNER/NAME"),
        ("https://forge.example", "../b", "write OWNER/NAME"),
        ("https://forge.example", "a/..", "write OWNER/NAME"),
        ("https://forge.example", "a/b?c", "write OWNER/NAME"),
    ],
)
def test_what_is_no_place(url: str, repository: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as told_of:
        forge_repository(url, repository)
    assert "secret" not in str(told_of.value)
