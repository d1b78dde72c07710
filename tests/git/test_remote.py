"""Addresses and names: what git may be handed."""

from __future__ import annotations

import pytest

from reconciler.git.remote import (
    BadRemoteError,
    Remote,
    check_branch,
    checked,
    protocols,
    redact_url,
    remote_host,
    without_login,
)


@pytest.mark.parametrize(
    "url",
    [
        "/etc/provider-daemon",
        "https://forge.example/a/state.git",
        "ssh://git@forge.example:2222/a/state.git",
        "git@forge.example:a/state.git",
        "file:///srv/state.git",
        "http://127.0.0.1:3000/a/state.git",
    ],
)
def test_addresses_that_are_taken(url: str) -> None:
    assert checked(Remote(url)).url == url


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "--upload-pack=/bin/sh",
        "-x",
        "fd::17",
        "git://forge.example/a",
        "http://forge.example/a",
        "https://",
        "ssh://-oProxyCommand=id/x",
        "git@-oProxyCommand=id:x",
        "git@forge.example:--upload-pack=id",
        "file://host/share",
        "relative/path",
        "https://forge.example/a\nb",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(BadRemoteError):
        checked(Remote(url))


@pytest.mark.parametrize("path", ["/abs", "../up", "a/../b", "-x", ":(glob)", "a\\b"])
def test_folders_that_are_refused(path: str) -> None:
    with pytest.raises(BadRemoteError, match="is not a folder inside a repository"):
        checked(Remote("/x", path=path))


@pytest.mark.parametrize("branch", ["main", "status/provider-a", "v1.2_x"])
def test_branches_that_are_taken(branch: str) -> None:
    assert check_branch(branch) == branch


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a//b", "a/", "a.lock", "a b", "+a", "a:b", "x/.y", "a.", "a~1", "a^", "é"]
)
def test_branches_that_are_refused(branch: str) -> None:
    with pytest.raises(BadRemoteError, match="is not a branch name"):
        check_branch(branch)


def test_secrets_are_taken_out_of_texts() -> None:
    assert Remote("https://me:tok@forge.example/a.git").shown == "https://forge.example/a.git"
    assert redact_url("fatal: https://me:tok@h/a failed") == "fatal: https://h/a failed"


def test_a_login_leaves_the_address() -> None:
    bare = "https://h:1/a.git"
    line = "https://me:tok@h:1\n"
    assert without_login(Remote("https://me:tok@h:1/a.git")) == (bare, "me", line)
    assert without_login(Remote("https://me@h:1/a.git")) == (bare, "me", None)
    assert without_login(Remote("https://h/a.git")) == ("https://h/a.git", "", None)
    assert without_login(Remote("ssh://git@h/a.git")) == ("ssh://git@h/a.git", "", None)
    assert without_login(Remote("/srv/a.git")) == ("/srv/a.git", "", None)


def test_plain_http_is_for_loopback_alone() -> None:
    assert protocols(Remote("http://127.0.0.1:1/a")) == "https:ssh:file:http"
    assert protocols(Remote("https://forge.example/a")) == "https:ssh:file"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://me:tok@Forge.example:8443/a.git", "forge.example"),
        ("ssh://git@forge.example/a", "forge.example"),
        ("git@Forge.example:a/b.git", "forge.example"),
        ("/srv/a.git", ""),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    assert remote_host(url) == host
