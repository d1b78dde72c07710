"""What the doctor finds of plain hosts: whether each can be reached, and has what containers take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import asking
from reconciler.adapters.ansible.runs import HostAnswer, Play, RunError, Runs
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.cli.doctor.checks import CheckResult, ok, wrong
from reconciler.settings import Settings
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings

SPARE_SECONDS = 10


def check_hosts(settings: Settings, wanted: AnsibleSettings) -> Iterator[CheckResult]:
    """One look at every group, as the adapter looks; it changes nothing."""
    if not wanted.groups:
        yield wrong("hosts", "adapters/ansible.yaml is enabled and names no hosts", "add groups with hosts")
        return
    complaints = list(settings.ansible.complaints())
    yield from (wrong("hosts", why, "mend it before anything is looked at") for why in complaints)
    if complaints:
        return
    for group in wanted.groups:
        yield from _group(settings.ansible, wanted, group)


def _group(access: HostCredentials, wanted: AnsibleSettings, group: AnsibleGroup) -> Iterator[CheckResult]:
    seconds = wanted.patience.look
    order = asking("tend", group.engine, wanted, seconds)
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        runs = Runs(wanted, access, Path(scratch))
        try:
            orders = {host.name: order for host in group.hosts}
            answers: Mapping[str, HostAnswer] = runs.run(
                Play("look", group, orders, seconds + SPARE_SECONDS, checking=True)
            )
        except RunError as why:
            yield wrong("hosts", f"group {group.name}: {why}", "see whether ansible-playbook runs here")
            return
        finally:
            runs.close()
    for host in group.hosts:
        answer = answers.get(host.name) or HostAnswer("failed")
        if answer.state == "ok":
            yield ok("hosts", f"{host.name} answers, and has {group.engine}")
        else:
            trouble = host_trouble(host.name, answer.words, answer.step)
            yield wrong("hosts", f"{trouble.reason}: {trouble.message}", trouble.advice)
