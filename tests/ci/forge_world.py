"""A state repository on a real forge: protected, with a webhook, cloned, and what people do on its page."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ci.changes import ROOT, Change

NAME = "provider"
REVIEW = "provider-daemon/review"
APPLIED = f"provider-daemon/{NAME}"


@dataclass
class ForgeWorld:
    """The forge by its API, as its user; the repository's name is new each time."""

    url: str
    user: str
    token: str
    name: str

    @property
    def repository(self) -> str:
        """OWNER/NAME."""
        return f"{self.user}/{self.name}"

    @property
    def git_url(self) -> str:
        """For git, with the token."""
        return f"http://{self.user}:{self.token}@{self.url.removeprefix('http://')}/{self.repository}.git"

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """The API's answer; an HTTPError where it is none."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            json.dumps(body).encode() if body else None,
            {"Authorization": f"token {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content.startswith((b"{", b"[")) else content.decode()

    def here(self, method: str, path: str, **body: Any) -> Any:
        """The same, below the repository."""
        return self.ask(method, f"/repos/{self.repository}/{path}", **body)

    def states(self, commit: str, name: str) -> list[tuple[str, str]]:
        """Every state that was set at a commit under a name, oldest first."""
        found = self.here("GET", f"commits/{commit}/statuses?limit=50")
        ours = [each for each in found if each["context"] == name]
        return [(each["status"], each["description"]) for each in sorted(ours, key=lambda each: each["id"])]

    def comments(self, number: int) -> list[str]:
        """The texts on a pull request."""
        return [each["body"] for each in self.here("GET", f"issues/{number}/comments")]

    def propose(self, branch: str) -> int:
        """Open a pull request; its number."""
        made = self.here("POST", "pulls", title=f"Change {branch}", head=branch, base="main")
        return int(made["number"])

    def merge(self, number: int) -> int:
        """Merge it; HTTP's status."""
        for _ in range(20):  # a forge looks for conflicts first
            try:
                self.here("POST", f"pulls/{number}/merge", Do="merge")
                return 200
            except urllib.error.HTTPError as error:
                if error.code != 405 or "try again later" not in error.read().decode().lower():
                    return error.code
            time.sleep(0.25)
        return 405

    def comment(self, number: int, body: str) -> int:
        """Write a comment as it is; its id."""
        return int(self.here("POST", f"issues/{number}/comments", body=body)["id"])

    def shown(self, number: int) -> dict[int, str]:
        """The comments of an issue or a pull request as its page shows them, by their ids."""
        where = f"{self.url}/{self.repository}/issues/{number}"
        with urllib.request.urlopen(where, timeout=30) as answer:
            page = answer.read().decode()
        parts = re.split(r'id="issuecomment-(\d+)"', page)[1:]
        return {
            int(key): part.partition('render-content markup"')[2].partition('<div id="issuecomment-')[0]
            for key, part in zip(parts[::2], parts[1::2], strict=True)
            if "render-content markup" in part  # pushes and reviews have a place there, too
        }


def forge_world() -> ForgeWorld:
    """The forge that $FORGE_ENV describes, with a new repository."""
    text = Path(os.environ["FORGE_ENV"]).read_text(encoding="utf-8")
    said = dict(re.findall(r"(?m)^(FORGE_\w+)=(.*)$", text))
    name = f"state-{secrets.token_hex(4)}"
    world = ForgeWorld(said["FORGE_URL"], said["FORGE_USER"], said["FORGE_TOKEN"], name)
    world.ask("POST", "/user/repos", name=name, private=False, default_branch="main")
    return world


def protect(world: ForgeWorld) -> None:
    """As ci/BRANCH-PROTECTION.md says, but for reviews: there is but one person here."""
    world.here(
        "POST",
        "branch_protections",
        rule_name="main",
        enable_push=False,
        enable_status_check=True,
        status_check_contexts=[REVIEW],
        block_admin_merge_override=True,
    )


def clone_of(world: ForgeWorld, directory: Path) -> Change:
    """An operator's clone, with what the CI of any forge sets."""
    change = Change(
        directory,
        {
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "HOME": str(directory.parent),
            "FORGE_URL": world.url,
            "FORGE_REPOSITORY": world.repository,
            "FORGE_TOKEN": world.token,
        },
    )
    directory.mkdir()
    change.git("clone", "--quiet", world.git_url, ".")
    return change


def push(change: Change, branch: str) -> str:
    """Push a branch; the commit at its head."""
    change.git("push", "--quiet", "--force-with-lease", "origin", f"HEAD:{branch}")
    return change.git("rev-parse", "HEAD")


def until(look: Callable[[], object], what: str, seconds: float = 60) -> float:
    """Wait for something to be so; how long it took."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() < began + seconds, f"not in time: {what}"
        time.sleep(0.1)
    return time.monotonic() - began
