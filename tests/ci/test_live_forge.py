"""The whole way of a change on a real forge: review, comment, merge, webhook, applied, told."""

from __future__ import annotations

import os
import re
import subprocess
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.forge.escaping import neutralize
from tests.ci.changes import Change
from tests.ci.forge_world import (
    APPLIED,
    NAME,
    REVIEW,
    ForgeWorld,
    clone_of,
    forge_world,
    protect,
    push,
    until,
)
from tests.e2e.processes import daemon, devnet, run

pytestmark = pytest.mark.live

SECRET = "a-secret-of-the-webhook"
HOST = """
forge:
  url: {world.url}
  repository: {world.repository}
  token_file: token
limits:
  price_change_percent: 20
"""


@pytest.fixture
def world() -> ForgeWorld:
    if not os.environ.get("FORGE_ENV"):
        pytest.skip("make live FORGE_ENV=... names the real forge")
    return forge_world()


def found(world: ForgeWorld, home: Path) -> None:
    """Push the devnet's repository to the forge, and write a host file that goes by it."""
    git = ["git", "-C", str(home / "state.git")]
    subprocess.run([*git, "push", "--quiet", world.git_url, "main"], check=True, capture_output=True)
    for name, content in {
        "credentials": world.git_url.rsplit("/", 2)[0],
        "hook": SECRET,
        "token": world.token,
    }.items():
        (home / name).write_text(f"{content}\n")
        (home / name).chmod(0o600)
    plain = (home / "host.yaml").read_text()
    url = f"{world.url}/{world.repository}.git"
    for old, new in (
        ("  url: state.git\n", f"  url: {url}\n  credentials: credentials\n  poll: 30m\n"),
        ("listen:\n", "listen:\n  webhook_secret: hook\n"),
    ):
        assert old in plain
        plain = plain.replace(old, new)
    (home / "forge.yaml").write_text(plain + HOST.format(world=world))


@contextmanager
def provider(world: ForgeWorld, home: Path) -> Iterator[None]:
    """A devnet with a daemon that goes by the forge, is woken by it, and tells it."""
    home.mkdir()
    with devnet(home, "--block-seconds", "0.5") as told:
        found(world, home)
        hook = {"url": f"{told['api']}/hooks/git", "content_type": "json", "secret": SECRET}
        world.here("POST", "hooks", type="gitea", config=hook, events=["push"], active=True)
        with daemon(home / "forge.yaml"):
            yield


def test_a_change_from_push_to_merge(world: ForgeWorld, tmp_path: Path) -> None:
    with provider(world, tmp_path / "home"):
        until(lambda: has(world, "main"), "the first branch")
        first = world.here("GET", "branches/main")["commit"]["id"]
        until(lambda: ("success", "applied") in world.states(first, APPLIED), "the first commit's state")
        until(lambda: has(world, f"snapshot/{NAME}"), "the snapshot branch")
        protect(world)
        change = clone_of(world, tmp_path / "clone")

        number, head = _propose(world, change)
        _comments_once(world, change, number, head)
        merged = _merges(world, number)
        _conflicts(world, change)
        merged = _is_held(world, change, tmp_path / "home" / "forge.yaml")
        _breaks(world, change, merged)
        _changes_its_check(world, change)


def _propose(world: ForgeWorld, change: Change) -> tuple[int, str]:
    change.git("checkout", "--quiet", "-b", "prices")
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 21000uve")
    head = push(change, "prices")
    number = world.propose("prices")
    assert world.merge(number) == 405, "the check is demanded and has not run"
    ran = review(change, number, head)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert reviewed(world, head) == ("success", True)
    return number, head


def _comments_once(world: ForgeWorld, change: Change, number: int, head: str) -> None:
    [comment] = world.comments(number)
    assert comment.startswith("<!-- provider-daemon plan -->\n")
    assert "21000" in comment
    [page] = world.shown(number).values()
    assert "<table>" in page
    assert "<details open" in page
    assert not acting(page)

    change.edit("pricing.yaml", "gpu: 21000uve", "gpu: 22000uve")
    second = push(change, "prices")
    assert second != head
    assert review(change, number, second).returncode == 0
    [edited] = world.comments(number)
    assert "22000" in edited
    assert "21000" not in edited
    assert reviewed(world, second) == ("success", True)


def _merges(world: ForgeWorld, number: int) -> str:
    assert world.merge(number) == 200
    merged = world.here("GET", "branches/main")["commit"]["id"]
    took = until(lambda: ("success", "applied") in world.states(merged, APPLIED), "the merge's state", 30)
    print(f"merged, applied and told within {took:.1f} s, woken by the webhook alone")
    until(lambda: f"Desired-Revision: {merged}" in last_message(world, f"status/{NAME}"), "the status branch")
    return str(merged)


def _conflicts(world: ForgeWorld, change: Change) -> None:
    """A second pull request that changes the same line, from before the merge."""
    change.git("checkout", "--quiet", "-b", "late", "origin/main")
    change.edit("pricing.yaml", "gpu: 20000uve", "gpu: 19000uve")
    head = push(change, "late")
    number = world.propose("late")
    assert review(change, number, head).returncode == 1
    [comment] = world.comments(number)
    assert "## Conflicts with the base branch in 1 file" in comment
    assert world.states(head, REVIEW) == [("failure", "conflicts with the base branch in 1 file")]


def _is_held(world: ForgeWorld, change: Change, host: Path) -> str:
    """A price that jumps warns in review, waits once it is merged, and is released by its digest alone."""
    change.git("checkout", "--quiet", "-b", "jump", "origin/main")
    change.edit("pricing.yaml", "gpu: 22000uve", "gpu: 44000uve")
    head = push(change, "jump")
    number = world.propose("jump")
    assert review(change, number, head).returncode == 0
    [(state, words)] = world.states(head, REVIEW)
    assert (state, words) == ("success", "valid; nothing takes effect: held back by PriceJump")
    [comment] = world.comments(number)
    assert "PriceJump" in comment

    assert world.merge(number) == 200
    merged = str(world.here("GET", "branches/main")["commit"]["id"])
    until(lambda: world.states(merged, APPLIED), "the held commit's state")
    state, words = world.states(merged, APPLIED)[-1]
    digest = re.match(r"held \(provider-daemon approve ([0-9a-f]{8})\): PriceJump: ", words)
    assert digest is not None, words
    assert state == "pending"
    approved = run("approve", digest[1], "--host", str(host))
    assert approved.returncode == 0, approved.stderr
    until(lambda: ("success", "applied") in world.states(merged, APPLIED), "the approved commit's state")
    change.git("fetch", "--quiet", "origin")
    return merged


def _breaks(world: ForgeWorld, change: Change, merged: str) -> None:
    """A broken file fails its check, cannot be merged, and spoils nothing."""
    change.git("checkout", "--quiet", "-b", "broken", "origin/main")
    change.edit("pricing.yaml", "gpu: 44000uve", "gpu: 44000uact")
    head = push(change, "broken")
    number = world.propose("broken")
    ran = review(change, number, head)
    assert ran.returncode == 1
    [comment] = world.comments(number)
    assert 'pricing.gpu: "44000uact" is in uact' in comment
    [(state, words)] = world.states(head, REVIEW)
    assert (state, words.startswith("not valid, 1 error; ")) == ("failure", True)
    assert world.merge(number) == 405
    assert world.here("GET", "branches/main")["commit"]["id"] == merged
    assert world.states(head, APPLIED) == []


def _changes_its_check(world: ForgeWorld, change: Change) -> None:
    """A pull request that changes how later ones are checked is known by the files it changes."""
    change.git("checkout", "--quiet", "-b", "easy", "origin/main")
    change.write("ci/review.sh", "#!/bin/sh\n")
    head = push(change, "easy")
    number = world.propose("easy")
    assert review(change, number, head).returncode == 0
    [comment] = world.comments(number)
    assert "**This pull request changes how pull requests are checked:** `ci/review.sh`." in comment


def reviewed(world: ForgeWorld, head: str) -> tuple[str, bool]:
    """The state of a review, and whether it says what the prices become."""
    [(state, words)] = world.states(head, REVIEW)
    return state, words.startswith("valid; ") and "prices +" in words


def review(change: Change, number: int, head: str) -> subprocess.CompletedProcess[str]:
    """What the CI runs: the plain script, on a fetched clone."""
    change.git("fetch", "--quiet", "origin")
    change.environment |= {"FORGE_PULL_REQUEST": str(number), "FORGE_COMMIT": head}
    return change.run("--base", "origin/main", "--head", head)


def has(world: ForgeWorld, branch: str) -> bool:
    """Whether there is such a branch."""
    try:
        return bool(world.here("GET", f"branches/{branch}"))
    except urllib.error.HTTPError:
        return False


def last_message(world: ForgeWorld, branch: str) -> str:
    """The message of a branch's last commit."""
    if not has(world, branch):
        return ""
    return str(world.here("GET", f"branches/{branch}")["commit"]["message"])


NASTY = (
    "@operator @org/team",
    "see #1 and !1 and operator/state#1",
    "<h1>x</h1><script>alert(1)</script><img src=x onerror=y>",
    "https://evil.example www.evil.example <https://evil.example>",
    "[text](https://evil.example) ![i](https://evil.example/i.png)",
    "&#64;operator &commat;operator &#35;1",
    "[text][1]\n\n[1]: https://evil.example",
    "mail@evil.example",
)


def acting(page: str) -> list[str]:
    """What a comment's page does beside showing it; that it links the repository's own commits is welcome."""
    found = re.findall(r"<(?:a|img|script|h1)\b[^>]*>", page)
    return [each for each in found if not re.match(r'<a href="/[\w/-]+/commit/[0-9a-f]+"', each)]


def test_untrusted_text_on_a_real_forge(world: ForgeWorld) -> None:
    """Each text acts where it is written as it is, and does not where it is escaped."""
    number = int(world.here("POST", "issues", title="What people write")["number"])
    plain = {text: world.comment(number, text) for text in NASTY}
    safe = {text: world.comment(number, neutralize(text)) for text in NASTY}
    page = world.shown(number)
    assert [text for text in NASTY if not acting(page[plain[text]])] == []
    assert [text for text in NASTY if acting(page[safe[text]])] == []
