"""Workloads with the plain values that their adapter needs."""

from __future__ import annotations

from dataclasses import replace

from reconciler.runtime.sealing import Identities
from reconciler.values.desired import Env, Service, Workload
from reconciler.values.specification import ImageCredentials


def plain_workload(workload: Workload, identities: Identities) -> Workload:
    """The workload with plain values for those that its file seals; SealingError if one cannot be
    unsealed.
    """
    return replace(workload, services=tuple(_plain(each, identities) for each in workload.services))


def _plain(service: Service, identities: Identities) -> Service:
    credentials = service.credentials
    return replace(
        service,
        env=tuple(_variable(env, identities) for env in service.env),
        credentials=credentials and _credentials(credentials, identities),
    )


def _variable(env: Env, identities: Identities) -> Env:
    if env.sealed is None:
        return env
    return replace(env, value=identities.unseal(env.sealed).decode("utf-8", "replace"))


def _credentials(given: ImageCredentials, identities: Identities) -> ImageCredentials:
    if not given.sealed:
        return given
    return replace(given, password=identities.unseal(given.sealed).decode("utf-8", "replace"))
