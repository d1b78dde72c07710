"""How the story looks at the daemon: its HTTP API, as `curl` would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from reconciler.devnet.faults import DevnetError

ANSWER_SECONDS = 5


class ApiProbe:
    """Asks the routes of the operator's sheet."""

    def __init__(self, url: str) -> None:
        self._url = url

    def answers(self) -> bool:
        """Whether a daemon is there."""
        try:
            self.ask("/healthz")
        except DevnetError:
            return False
        return True

    def ask(self, path: str) -> Any:
        """The JSON at a path; DevnetError where there is none."""
        try:
            with urllib.request.urlopen(self._url + path, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # our own address
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise DevnetError(f"the daemon answers {error.code} to {path}") from None
        except (OSError, ValueError) as error:
            raise DevnetError(f"the daemon does not answer {path}: {error}") from None

    def hold(self, subject: str, reason: str) -> str:
        """The sentence of a hold on an order, "" where there is no such hold."""
        holds = self.ask("/api/v1/bid-engine/status")["holds"]
        return next(
            (str(h["message"]) for h in holds if h["subject"] == subject and h["reason"] == reason), ""
        )

    def state(self, workload: str) -> str:
        """The workload's phase in lower case, "" where there is no such workload."""
        found = self.ask("/api/v1/workloads")["items"]
        return next((str(w["state"]) for w in found if w["id"] == workload), "")

    def waits_for_file(self, workload: str) -> str:
        """What the daemon says is missing, "" where nothing is."""
        holds = self.ask(f"/api/v1/workloads/{workload}")["workload"]["holds"]
        return next((str(h["message"]) for h in holds if h["reason"] == "NoWorkloadFile"), "")

    def applied(self) -> str:
        """The commit that is in force."""
        return str(self.ask("/api/v1/status")["revisions"]["applied"])
