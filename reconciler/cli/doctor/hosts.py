"""Checks of plain hosts: whether each is reachable and has a container engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import host_request
from reconciler.adapters.ansible.runner import MISSING, SPARE_SECONDS, AnsibleRunner, Play, RunError
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.cli.doctor.checks import CheckResult, ok, wrong
from reconciler.values.adapters import adapter_path
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings


def check_hosts(name: str, credentials: HostCredentials, wanted: AnsibleSettings) -> Iterator[CheckResult]:
    """One read-only observation of every group, as by the adapter."""
    if not wanted.groups:
        yield wrong("hosts", f"{adapter_path(name)} is enabled and names no hosts", "add groups with hosts")
        return
    errors = list(credentials.errors())
    yield from (wrong("hosts", why, "fix it; until then no host is contacted") for why in errors)
    if errors:
        return
    for group in wanted.groups:
        yield from _group(credentials, wanted, group)


def _group(
    credentials: HostCredentials, wanted: AnsibleSettings, group: AnsibleGroup
) -> Iterator[CheckResult]:
    seconds = wanted.timeouts.observe
    request = host_request("observe", group.engine, wanted, seconds)
    requests = {host.name: request for host in group.hosts}
    play = Play("observe", group, requests, seconds + SPARE_SECONDS, check_mode=True)
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        runner = AnsibleRunner(wanted, credentials, Path(scratch))
        try:
            results = runner.run(play)
        except RunError as error:
            yield wrong("hosts", f"group {group.name}: {error}", "check that ansible-playbook runs here")
            return
        finally:
            runner.close()
    for host in group.hosts:
        result = results.get(host.name, MISSING)
        if result.state == "ok":
            yield ok("hosts", f"{host.name} responds, and has {group.engine}")
        else:
            trouble = host_trouble(host.name, result.message, result.step)
            yield wrong("hosts", f"{trouble.reason}: {trouble.message}", trouble.advice)
