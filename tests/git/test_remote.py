"""Addresses and names: what git may be handed."""

from __future__ import annotations

import pytest

from reconciler.git.remote import (
    BadRemoteError,
    Remote,
    allowed_protocols,
    check_branch,
    check_remote,
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
def test_accepted_addresses(url: str) -> None:
    assert check_remote(Remote(url)).url == url


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
def test_rejected_addresses(url: str) -> None:
    with pytest.raises(BadRemoteError):
        check_remote(Remote(url))


@pytest.mark.parametrize("path", ["/abs", "../up", "a/../b", "-x", ":(glob)", "a\\b"])
def test_rejected_folders(path: str) -> None:
    with pytest.raises(BadRemoteError, match="is not a folder inside a repository"):
        check_remote(Remote("/x", path=path))


@pytest.mark.parametrize("branch", ["main", "status/provider-a", "v1.2_x"])
def test_accepted_branches(branch: str) -> None:
    assert check_branch(branch) == branch


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a//b", "a/", "a.lock", "a b", "+a", "a:b", "x/.y", "a.", "a~1", "a^", "é"]
)
def test_rejected_branches(branch: str) -> None:
    with pytest.raises(BadRemoteError, match="is not a branch name"):
        check_branch(branch)


def test_secrets_are_redacted() -> None:
    assert Remote("https://me:tok@forge.example/a.git").redacted_url == "https://forge.example/a.git"
    assert redact_url("fatal: https://me:tok@h/a failed") == "fatal: https://h/a failed"


def test_a_login_is_removed_from_the_address() -> None:
    bare = "https://h:1/a.git"
    line = "https://me:tok@h:1\n"
    assert without_login(Remote("https://me:tok@h:1/a.git")) == (bare, "me", line)
    assert without_login(Remote("https://me@h:1/a.git")) == (bare, "me", None)
    assert without_login(Remote("https://h/a.git")) == ("https://h/a.git", "", None)
    assert without_login(Remote("ssh://git@h/a.git")) == ("ssh://git@h/a.git", "", None)
    assert without_login(Remote("/srv/a.git")) == ("/srv/a.git", "", None)


def test_plain_http_only_on_loopback() -> None:
    assert allowed_protocols(Remote("http://127.0.0.1:1/a")) == "https:ssh:file:http"
    assert allowed_protocols(Remote("https://forge.example/a")) == "https:ssh:file"


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
