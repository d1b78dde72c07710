"""What git says, in the operator's words."""

from __future__ import annotations

import pytest

from reconciler.git.git_errors import git_error
from reconciler.git.git_process import GIT_MISSING, TIMED_OUT, TOO_LONG, GitResult
from reconciler.git.remote import Remote

REMOTE = Remote("https://me:tok@h/a.git")


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        (
            "remote: Repository not found.\nfatal: x",
            "there is no repository at https://h/a.git; check repository.url",
        ),
        (
            "fatal: unable to access 'https://me:tok@h/a.git/': Could not resolve host: h",
            "cannot be reached",
        ),
        ("fatal: Authentication failed for 'https://h/a.git/'", "rejects our credentials"),
        ("fatal: unable to access: The requested URL returned error: 403", "rejects our credentials"),
        ("fatal: unable to access: The requested URL returned error: 502", "cannot be reached"),
        ("git@h: Permission denied (publickey).", "rejects our credentials"),
        ("Host key verification failed.", "add it to the user's known_hosts"),
        ("fatal: transport 'ext' not allowed", "use https, ssh or a path"),
        ("fatal: write error: No space left on device", "the disk of the state directory is full"),
        ("fatal: fsck error in packed object", "sent objects that git rejects"),
        ("fatal: something new", "git failed on https://h/a.git (git: something new)"),
    ],
)
def test_known_failures(errors: str, sentence: str) -> None:
    told = git_error(GitResult(128, b"", errors), REMOTE)
    assert sentence in told
    assert "tok" not in told


def test_failures_of_our_limits() -> None:
    assert "git is not installed" in git_error(GitResult(GIT_MISSING, b"", ""), REMOTE)
    assert "did not finish in time" in git_error(GitResult(TIMED_OUT, b"", ""), REMOTE)
    assert "is too large for a state repository" in git_error(GitResult(TOO_LONG, b"", ""), REMOTE)
    assert git_error(GitResult(3, b"", ""), REMOTE) == "git failed on https://h/a.git with exit code 3"


def test_escapes_of_a_server_are_removed() -> None:
    told = git_error(GitResult(1, b"", "remote: \x1b[31mred\x1b[0m \u202eback\x07\n"), REMOTE)
    assert "\x1b" not in told
    assert told.endswith("(git: remote: [31mred[0m back)")


def test_a_long_line_is_cut() -> None:
    assert len(git_error(GitResult(1, b"", "fatal: " + "x" * 2**20), REMOTE)) < 400
