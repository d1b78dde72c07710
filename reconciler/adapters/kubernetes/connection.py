"""Connects with a kubeconfig from the host file, which must allow programs that the kubeconfig would run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config

from reconciler.adapters.kubernetes.kubeconfig import (
    Kubeconfig,
    KubeconfigError,
    context_of,
    entries_of,
    read_kubeconfig,
)

POOL_CONNECTIONS = 32
"""At once: a watch of each kind and namespace, and the effects of a work queue."""


def connect(kubeconfig: Kubeconfig) -> client.ApiClient:
    """A client with these credentials; sends nothing yet."""
    document = read_kubeconfig(kubeconfig.path)
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
    except config.ConfigException as error:
        raise KubeconfigError(f"{kubeconfig.path}: {error}") from error
    if (token := _token_file(kubeconfig, document)) is not None:
        settings.refresh_api_key_hook = lambda changed: _refresh(changed, token)  # type: ignore[assignment]  # typed as None there
    settings.retries = urllib3.Retry(total=False, redirect=False)
    settings.connection_pool_maxsize = POOL_CONNECTIONS
    return client.ApiClient(settings)


def _token_file(kubeconfig: Kubeconfig, document: dict[str, Any]) -> Path | None:
    """The file of a service account's token; read for each request, because the cluster rotates it."""
    context = entries_of(document, "contexts", "context").get(context_of(kubeconfig, document), {})
    named = entries_of(document, "users", "user").get(context.get("user"), {}).get("tokenFile")
    return kubeconfig.path.parent / named if isinstance(named, str) and named else None


def _refresh(settings: client.Configuration, token: Path) -> None:
    try:
        settings.api_key["authorization"] = f"Bearer {token.read_text(encoding='utf-8').strip()}"
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{token}: the token cannot be read: {error}") from error


def _refuse_programs(path: Path, document: dict[str, Any]) -> None:
    for entry in document.get("users") or ():
        user = entry.get("user") if isinstance(entry, dict) else None
        for word in ("exec", "auth-provider"):
            if isinstance(user, dict) and word in user:
                why = f"user {entry.get('name')} would run a program ({word})"
                advice = "use a token or certificate, or allow it in the host file"
                raise KubeconfigError(f"{path}: {why}; {advice}")
