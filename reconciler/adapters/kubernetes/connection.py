"""Connects with a kubeconfig from the host file, which must allow programs that the kubeconfig would run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config

POOL_CONNECTIONS = 12
KUBECONFIG_MAX_BYTES = 1 << 20


class KubeconfigError(OSError):
    """A kubeconfig that is unreadable, invalid or not allowed."""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The file of the credentials. `context` "" is its current context; `programs` allows programs in it
    (`exec`, `auth-provider`) that obtain credentials.
    """

    path: Path
    context: str = ""
    programs: bool = False

    def version(self) -> tuple[int, int]:
        """Changes when the file does."""
        try:
            found = self.path.stat()
        except OSError as why:
            raise KubeconfigError(f"{self.path}: cannot be read: {why.strerror}") from why
        return found.st_mtime_ns, found.st_size


def connect(kubeconfig: Kubeconfig) -> client.ApiClient:
    """A client with these credentials; sends nothing yet."""
    document = _read(kubeconfig.path)
    if not kubeconfig.programs:
        _refuse_programs(kubeconfig.path, document)
    settings = client.Configuration()
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]  # the library has no types
            str(kubeconfig.path),
            kubeconfig.context or None,
            client_configuration=settings,
            persist_config=False,
        )
    except config.ConfigException as why:
        raise KubeconfigError(f"{kubeconfig.path}: {why}") from why
    if (token := _token_file(kubeconfig, document)) is not None:
        settings.refresh_api_key_hook = lambda changed: _refresh(changed, token)  # type: ignore[assignment]  # typed as None there
    settings.retries = urllib3.Retry(total=False, redirect=False)
    settings.connection_pool_maxsize = POOL_CONNECTIONS
    return client.ApiClient(settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = yaml.safe_load(file.read(KUBECONFIG_MAX_BYTES))
    except OSError as why:
        raise KubeconfigError(f"{path}: cannot be read: {why.strerror}") from why
    except yaml.YAMLError as why:
        raise KubeconfigError(f"{path}: is not YAML: {str(why).splitlines()[0]}") from why
    if not isinstance(document, dict) or document.get("kind") != "Config":
        raise KubeconfigError(f"{path}: is not a kubeconfig: `kind: Config` is missing")
    return document


def _token_file(kubeconfig: Kubeconfig, document: dict[str, Any]) -> Path | None:
    """The file of a service account's token; read for each request, because the cluster rotates it."""
    chosen = kubeconfig.context or document.get("current-context")
    contexts = {each["name"]: each.get("context") or {} for each in document.get("contexts") or ()}
    users = {each["name"]: each.get("user") or {} for each in document.get("users") or ()}
    named = users.get(contexts.get(chosen, {}).get("user"), {}).get("tokenFile")
    return kubeconfig.path.parent / named if isinstance(named, str) and named else None


def _refresh(settings: client.Configuration, token: Path) -> None:
    try:
        settings.api_key["authorization"] = f"Bearer {token.read_text(encoding='utf-8').strip()}"
    except (OSError, UnicodeDecodeError) as why:
        raise KubeconfigError(f"{token}: the token cannot be read: {why}") from why


def _refuse_programs(path: Path, document: dict[str, Any]) -> None:
    for entry in document.get("users") or ():
        user = entry.get("user") if isinstance(entry, dict) else None
        for word in ("exec", "auth-provider"):
            if isinstance(user, dict) and word in user:
                why = f"user {entry.get('name')} would run a program ({word})"
                advice = "use a token or certificate, or allow it in the host file"
                raise KubeconfigError(f"{path}: {why}; {advice}")
