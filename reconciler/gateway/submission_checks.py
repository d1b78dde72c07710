"""Checks of a submitted manifest: by itself, against the chain, and against the operator's rules."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.chain.leased_deployments import LeasedDeployment
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import DeploymentManifest, ManifestGroup, read_manifest
from reconciler.manifests.manifest_checks import check_against_groups, check_manifest
from reconciler.manifests.specification import specification_of
from reconciler.values.addresses import is_host_denied
from reconciler.values.desired import Config, Desired
from reconciler.values.images import denied_by

WRONG_VERSION = "manifest version validation failed"
"""The reference provider's text for a manifest of another hash."""


def read_checked(body: bytes) -> DeploymentManifest:
    """The manifest of a request's body; ManifestError if it is invalid by itself."""
    manifest = read_manifest(body)
    check_manifest(manifest)
    return manifest


def check_deployment(
    manifest: DeploymentManifest, owner: str, deployment: LeasedDeployment, desired: Desired | None
) -> None:
    """Raise ManifestError, with one sentence for the tenant, unless the manifest is the deployment's and
    keeps the operator's rules.
    """
    if (own := manifest.hash()) != deployment.manifest_hash:
        raise ManifestError(
            f"{WRONG_VERSION}: its hash is {own}, that of the deployment is {deployment.manifest_hash}; "
            "send the manifest that the deployment was created with, or update the deployment first"
        )
    check_against_groups(manifest, deployment.groups)
    config = (desired.config if desired else None) or Config()
    if owner in config.bidding.owners_denied:
        raise ManifestError("this provider does not serve this account")
    for fault in (fault for group in _leased(manifest, deployment) for fault in _faults(group, config)):
        raise ManifestError(fault)


def _leased(manifest: DeploymentManifest, deployment: LeasedDeployment) -> Iterator[ManifestGroup]:
    names = {name for _, name in deployment.leases}
    yield from (group for group in manifest.groups or () if group.name in names)


def _faults(group: ManifestGroup, config: Config) -> Iterator[str]:
    for service in specification_of(group).services:
        if denied_by(service.image, config.images_denied):
            yield f"image not allowed: {service.image} of service {service.name} is denied by this provider"
        for host in (host for port in service.ports for host in port.hosts):
            if is_host_denied(host, config.hosts_denied):
                yield f'hostname not allowed: "{host}" is blocked by this provider'
