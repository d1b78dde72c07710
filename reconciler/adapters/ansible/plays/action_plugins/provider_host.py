"""The controller's side: takes a host's order from the run's own file and hands it over as it is.

Nothing that a tenant wrote is ever an Ansible variable, so nothing of it can be templated, name a connection
or become a path. The answer goes into a file as well: it is no event, no fact and no line of a log.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

RUN_VARIABLE = "PROVIDER_RUN"
"""The run's private directory."""

COLLECTION = "containers.podman.podman_container"
"""Makes containers where it is installed beside Ansible."""


class ActionModule(ActionBase):  # type: ignore[misc]  # the library says nothing of its types
    """`provider_host:` without arguments."""

    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The host's order, its secrets from the vault, the module's answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        here = Path(os.environ[RUN_VARIABLE])
        host = str((task_vars or {})["inventory_hostname"])
        asked = json.loads((here / "orders" / f"{host}.json").read_bytes())
        wanted, vault = asked.pop("wanted_secrets", None), asked.pop("vault", None)
        if asked["operation"] == "work" and asked["engine"] == "podman" and self._has_collection():
            self._make_by_collection(asked, task_vars)
        if wanted:
            asked["secrets"] = self._secrets(vault, wanted) if vault else {}
        found, answer = self._ask(asked, task_vars)
        result.update(found)
        if answer:
            (here / "answers" / f"{host}.json").write_bytes(answer)
            result["diff"] = _diff(json.loads(answer))
        return result

    def _ask(self, asked: dict[str, Any], task_vars: dict[str, Any] | None) -> tuple[dict[str, Any], bytes]:
        """What the module returns, and its answer."""
        order = base64.b64encode(json.dumps(asked).encode()).decode()
        found = self._execute_module("provider_host", {"order": order}, task_vars=task_vars)
        found.pop("invocation", None)
        return found, base64.b64decode(found.pop("answer", ""))

    def _has_collection(self) -> bool:
        found = self._shared_loader_obj.module_loader.find_plugin_with_context(COLLECTION, check_aliases=True)
        return bool(found.resolved)

    def _make_by_collection(self, asked: dict[str, Any], task_vars: dict[str, Any] | None) -> None:
        """Let containers.podman make the containers; what it does not make, the work that follows does."""
        _, answer = self._ask({**asked, "operation": "stage"}, task_vars)
        for each in json.loads(answer or b"{}").get("containers", ()):
            made = self._execute_module(COLLECTION, each, task_vars=task_vars)
            if made.get("failed"):
                return

    def _secrets(self, vault: str, wanted: list[str]) -> dict[str, str]:
        """Only those that this host's order names."""
        try:
            tree = yaml.safe_load(self._loader.get_text_file_contents(vault))
        except Exception as why:
            raise AnsibleActionFail(f"the vault {vault} cannot be opened: {type(why).__name__}") from None
        found = {}
        for reference in wanted:
            name, _, key = reference.partition("/")
            value = tree.get(name, {}).get(key) if isinstance(tree, dict) else None
            if value is not None:
                found[reference] = str(value)
        return found


def _diff(answer: dict[str, Any]) -> list[dict[str, str]]:
    """What differs, workload by workload, for whoever runs the play by hand."""
    return [
        {"before_header": name, "before": "".join(f"{each}\n" for each in view["differences"]), "after": ""}
        for name, view in (answer.get("workloads") or {}).items()
        if view and view.get("differences")
    ]
