"""What git says, in the operator's words."""

from __future__ import annotations

import pytest

from reconciler.git.git_errors import git_error
from reconciler.git.git_process import NO_GIT, TIMED_OUT, TOO_LONG, Ran
from reconciler.git.remote import Remote

PLACE = Remote("https://me:tok@h/a.git")


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        (
            "remote: Repository not found.\nfatal: x",
            "there is no repository at https://h/a.git; check repository.url",
        ),
        (
            "fatal: unable to access 'https://me:tok@h/a.git/': Could not resolve host: h",
            "cannot be reached now",
        ),
        ("fatal: Authentication failed for 'https://h/a.git/'", "does not accept our credentials"),
        ("fatal: unable to access: The requested URL returned error: 403", "does not accept our credentials"),
        ("fatal: unable to access: The requested URL returned error: 502", "cannot be reached now"),
        ("git@h: Permission denied (publickey).", "does not accept our credentials"),
        ("Host key verification failed.", "add it to the user's known_hosts"),
        ("fatal: transport 'ext' not allowed", "use https, ssh or a path"),
        ("fatal: write error: No space left on device", "the disk of the state directory is full"),
        ("fatal: fsck error in packed object", "sent objects that git refuses"),
        ("fatal: something new", "git failed on https://h/a.git (git: something new)"),
    ],
)
def test_known_failures(errors: str, sentence: str) -> None:
    told = git_error(Ran(128, b"", errors), PLACE)
    assert sentence in told
    assert "tok" not in told


def test_failures_of_ours() -> None:
    assert "git is not installed" in git_error(Ran(NO_GIT, b"", ""), PLACE)
    assert "did not finish in time" in git_error(Ran(TIMED_OUT, b"", ""), PLACE)
    assert "holds more than a state repository" in git_error(Ran(TOO_LONG, b"", ""), PLACE)
    assert git_error(Ran(3, b"", ""), PLACE) == "git failed on https://h/a.git with exit code 3"


def test_a_server_writes_no_escapes_into_our_log() -> None:
    told = git_error(Ran(1, b"", "remote: \x1b[31mred\x1b[0m \u202eback\x07\n"), PLACE)
    assert "\x1b" not in told
    assert told.endswith("(git: remote: [31mred[0m back)")


def test_a_line_without_an_end_is_cut() -> None:
    assert len(git_error(Ran(1, b"", "fatal: " + "x" * 2**20), PLACE)) < 400
