"""`provider-daemon doctor`: read-only checks of the daemon's environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.chain.keys import PrivateKey
from reconciler.cli.doctor.chain import check_chain
from reconciler.cli.doctor.checks import CheckResult, CheckState, ok, wrong
from reconciler.cli.doctor.cluster import check_cluster
from reconciler.cli.doctor.forge import check_forge
from reconciler.cli.doctor.gateway import check_gateway
from reconciler.cli.doctor.hosts import check_hosts
from reconciler.cli.doctor.machine import (
    check_git,
    check_outside,
    check_ports,
    check_sealing,
    check_state,
    open_key,
)
from reconciler.cli.doctor.repository import check_repository
from reconciler.cli.options import echo_structured, host_option, is_text, output_option, settings_of
from reconciler.planning.revisions.adapter_grants import denials
from reconciler.settings import Settings, SettingsError
from reconciler.values.adapters import ANSIBLE, KUBERNETES
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import AdapterSettings
from reconciler.values.hosts import AnsibleSettings


@click.command()
@host_option
@output_option
def doctor(host: Path | None, output: str) -> int:
    """Check host file, state, keys, chain, repository, cluster, clock, disk and ports.

    Exit code 1 if a check fails.
    """
    found = []
    for finding in examine(host):
        found.append(finding)
        if is_text(output):
            click.echo(show(finding))
    wrongs = sum(f.state is CheckState.WRONG for f in found)
    if not echo_structured({"wrong": wrongs, "findings": found}, output):
        click.echo(f"{wrongs} wrong, {sum(f.state is CheckState.WARN for f in found)} warnings")
    return 1 if wrongs else 0


def show(finding: CheckResult) -> str:
    """A check on one line, and its advice on another."""
    line = f"{finding.state:5}  {finding.check:13} {finding.message}"
    return f"{line}\n{'':21}-> {finding.advice}" if finding.advice else line


def examine(host: Path | None) -> Iterator[CheckResult]:
    """Each result as it comes; a check that raises an error is a result, and affects no other."""
    try:
        settings = settings_of(host)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield wrong(
                "host file", line, "correct that, and ask again; nothing else can be looked at before"
            )
        return
    yield ok("host file", str(settings.host_file))
    key = open_key(settings)
    yield key if isinstance(key, CheckResult) else ok("key", f"{settings.key.name} is {key.address}")
    yield from _run_guarded("state", lambda: check_state(settings))
    yield from _run_guarded("sealing", lambda: check_sealing(settings))
    yield from _run_guarded("git", check_git)
    yield from _run_guarded("port", lambda: check_ports(settings))
    yield from _run_guarded("certificate", lambda: check_outside(settings))
    yield from _run_guarded("gateway", lambda: check_gateway(settings.gateway))
    yield from _run_guarded("chain", lambda: check_chain(settings, key))
    yield from _outside(settings, key)
    yield from _run_guarded("forge", lambda: check_forge(settings))


def _outside(settings: Settings, key: PrivateKey | CheckResult) -> Iterator[CheckResult]:
    wanted = None
    try:
        wanted = yield from check_repository(settings, None if isinstance(key, CheckResult) else key.address)
    except OSError as error:
        yield _broken("repository", error)
    denied = denials(wanted, settings.limits.grants) if wanted else {}
    for name, why in denied.items():
        yield wrong("adapters", why, f"check adapters.{name} in the host file")
    adapters = wanted.adapters if wanted else {KUBERNETES: KubernetesSettings()}
    if not any(each.enabled for each in adapters.values()):
        yield wrong("adapters", "no adapter is enabled, so nothing runs and nothing is bid", "enable one")
    for name, each in sorted(adapters.items()):
        if each.enabled and name not in denied:
            yield from _run_guarded("adapters", partial(_adapter, settings, adapters, name))


def _adapter(settings: Settings, adapters: Mapping[str, AdapterSettings], name: str) -> Iterator[CheckResult]:
    """The checks of one adapter; a message about one without a default name starts with its name."""
    wanted, access = adapters[name], settings.adapters.get(name)
    if isinstance(wanted, AnsibleSettings):
        assert isinstance(access, HostCredentials), "an adapter of another kind is denied"
        found = check_hosts(name, access, wanted)
    else:
        others = any(each.enabled for other, each in adapters.items() if other != name)
        found = check_cluster(access if isinstance(access, Kubeconfig) else None, wanted, others=others)
    for each in found:
        is_default = name in (KUBERNETES, ANSIBLE)
        yield each if is_default else replace(each, message=f"{name}: {each.message}")


def _run_guarded(check: str, look: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    try:
        yield from look()
    except OSError as error:
        yield _broken(check, error)


def _broken(check: str, error: OSError) -> CheckResult:
    return wrong(check, str(error), "give the daemon's user what it needs, and ask again")
