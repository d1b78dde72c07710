"""A kubeconfig from the host file: where it is, and what it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reconciler.values.adapters import KUBERNETES

KUBECONFIG_MAX_BYTES = 1 << 20


class KubeconfigError(OSError):
    """A kubeconfig that is unreadable, invalid or not allowed."""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The file of the credentials, for the adapter `name`. `context` "" is its current context; `programs`
    allows programs in it (`exec`, `auth-provider`) that obtain credentials.
    """

    path: Path
    context: str = ""
    programs: bool = False
    name: str = KUBERNETES

    def version(self) -> tuple[int, int]:
        """Changes when the file does."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise KubeconfigError(f"{self.path}: cannot be read: {error.strerror}") from error
        return found.st_mtime_ns, found.st_size


def server_of(kubeconfig: Kubeconfig) -> str:
    """The API server's address; "" if the kubeconfig is unreadable or names none."""
    try:
        document = read_kubeconfig(kubeconfig.path)
        context = entries_of(document, "contexts", "context").get(context_of(kubeconfig, document), {})
        server = entries_of(document, "clusters", "cluster").get(context.get("cluster"), {}).get("server")
    except (KubeconfigError, KeyError, TypeError, AttributeError):
        return ""
    return server.rstrip("/").lower() if isinstance(server, str) else ""


def context_of(kubeconfig: Kubeconfig, document: dict[str, Any]) -> Any:
    """The name of the context in use."""
    return kubeconfig.context or document.get("current-context")


def entries_of(document: dict[str, Any], key: str, inner: str) -> dict[Any, dict[str, Any]]:
    """The named entries of a list, such as the contexts, by name."""
    return {each["name"]: each.get(inner) or {} for each in document.get(key) or ()}


def read_kubeconfig(path: Path) -> dict[str, Any]:
    """The parsed file; KubeconfigError if it is unreadable or not a kubeconfig."""
    try:
        with path.open("rb") as file:
            document = yaml.safe_load(file.read(KUBECONFIG_MAX_BYTES))
    except OSError as error:
        raise KubeconfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise KubeconfigError(f"{path}: is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict) or document.get("kind") != "Config":
        raise KubeconfigError(f"{path}: is not a kubeconfig: `kind: Config` is missing")
    return document
