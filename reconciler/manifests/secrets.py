"""Secrets of a manifest: values of variables, commands, arguments and credentials, apart from the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import CredentialsEntry, DeploymentManifest, ManifestService

Replacement = Callable[[str], str]


def without_secrets(manifest: DeploymentManifest) -> tuple[DeploymentManifest, tuple[str, ...]]:
    """The manifest with an empty text in place of each secret, and the secrets in their order in it."""
    found: list[str] = []

    def take(secret: str) -> str:
        found.append(secret)
        return ""

    return _replaced(manifest, take), tuple(found)


def with_secrets(manifest: DeploymentManifest, secrets: Sequence[str]) -> DeploymentManifest:
    """The manifest with its secrets back; ManifestError if they are more or fewer."""
    rest = deque(secrets)
    try:
        whole = _replaced(manifest, lambda _: rest.popleft())
    except IndexError:
        raise ManifestError("the manifest has more secrets than are sealed") from None
    if rest:
        raise ManifestError("the manifest has fewer secrets than are sealed")
    return whole


def _replaced(manifest: DeploymentManifest, put: Replacement) -> DeploymentManifest:
    groups = tuple(
        replace(group, services=_list(group.services, lambda service: _service(service, put)))
        for group in manifest.groups or ()
    )
    return DeploymentManifest(groups if manifest.groups is not None else None)


def _list(
    values: tuple[ManifestService, ...] | None, change: Callable[[ManifestService], ManifestService]
) -> tuple[ManifestService, ...] | None:
    return None if values is None else tuple(change(value) for value in values)


def _service(service: ManifestService, put: Replacement) -> ManifestService:
    params = service.params
    return replace(
        service,
        command=_texts(service.command, put),
        args=_texts(service.args, put),
        env=_texts(service.env, lambda variable: _variable(variable, put)),
        credentials=_credentials(service.credentials, put),
        params=params and replace(params, credentials=_credentials(params.credentials, put)),
    )


def _texts(texts: tuple[str, ...] | None, change: Replacement) -> tuple[str, ...] | None:
    return None if texts is None else tuple(change(text) for text in texts)


def _variable(variable: str, put: Replacement) -> str:
    name, sign, value = variable.partition("=")
    return f"{name}={put(value)}" if sign else variable


def _credentials(given: CredentialsEntry | None, put: Replacement) -> CredentialsEntry | None:
    if given is None:
        return None
    return replace(given, email=put(given.email), username=put(given.username), password=put(given.password))
