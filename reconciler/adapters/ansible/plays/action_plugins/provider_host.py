"""The controller's side: reads a host's request from the run directory and sends it unchanged.

Nothing that a tenant wrote becomes an Ansible variable, so it is never a template, a connection setting or a
path. The response goes into a file too: it is no event, no fact and no log line.
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


class ActionModule(ActionBase):  # type: ignore[misc]  # the library has no types
    """`provider_host:` without arguments."""

    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Adds the secrets that the request names, runs the module, stores its response."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        directory = Path(os.environ[RUN_VARIABLE])
        host = str((task_vars or {})["inventory_hostname"])
        request = json.loads((directory / "requests" / f"{host}.json").read_bytes())
        names, vault = request.pop("secret_names", None), request.pop("vault", None)
        if names:
            request["secrets"] = self._secrets(vault, names) if vault else {}
        encoded = base64.b64encode(json.dumps(request).encode()).decode()
        result |= self._execute_module("provider_host", {"request": encoded}, task_vars=task_vars)
        result.pop("invocation", None)
        if response := base64.b64decode(result.pop("response", "")):
            (directory / "responses" / f"{host}.json").write_bytes(response)
            result["diff"] = _diff(json.loads(response))
        return result

    def _secrets(self, vault: str, names: list[str]) -> dict[str, str]:
        """Only those that this host's request names."""
        try:
            tree = yaml.safe_load(self._loader.get_text_file_contents(vault))
        except Exception as error:
            raise AnsibleActionFail(f"the vault {vault} cannot be opened: {type(error).__name__}") from None
        found = {}
        for reference in names:
            name, _, key = reference.partition("/")
            value = tree.get(name, {}).get(key) if isinstance(tree, dict) else None
            if value is not None:
                found[reference] = str(value)
        return found


def _diff(response: dict[str, Any]) -> list[dict[str, str]]:
    """The drift of each workload, for an operator who runs the play manually."""
    return [
        {"before_header": name, "before": "".join(f"{each}\n" for each in view["differences"]), "after": ""}
        for name, view in (response.get("workloads") or {}).items()
        if view and view.get("differences")
    ]
