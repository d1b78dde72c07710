"""Settings to an Ansible inventory, the only source of Ansible variables; pure."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection
from typing import Any

from reconciler.adapters.ansible.credentials import HostCredentials, Jump
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost

REMOTE_PYTHON = "/usr/bin/python3"


def inventory_of(group: AnsibleGroup, access: HostCredentials, only: Collection[str] = ()) -> dict[str, Any]:
    """The hosts of a group with their connection variables; only those named, if any are."""
    hosts = [host for host in group.hosts if not only or host.name in only]
    return {"all": {"hosts": {host.name: _variables(group, host, access) for host in hosts}}}


def _variables(group: AnsibleGroup, host: AnsibleHost, access: HostCredentials) -> dict[str, Any]:
    become = {"ansible_become": group.sudo}
    if host.address == LOCALHOST:
        return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable} | become
    found = {
        "ansible_connection": "ssh",
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_python_interpreter": REMOTE_PYTHON,
        "ansible_ssh_common_args": " ".join(_ssh_options(access)),
    }
    found |= {"ansible_user": group.user} if group.user else {}
    found |= {"ansible_ssh_private_key_file": str(access.private_key)} if access.private_key else {}
    return found | become


def _ssh_options(access: HostCredentials) -> list[str]:
    """Ignores the user's own configuration and agent; connects only to hosts with a known key."""
    known = str(access.known_hosts) if access.known_hosts else "/dev/null"
    options = {
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f"'\"{known}\"'",
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
        "ControlMaster": "no",
        "ServerAliveInterval": "15",
    }
    made = ["-F", "none", *(f"-o {name}={value}" for name, value in options.items())]
    if access.jump is not None:
        made.append(f"-o {shlex.quote('ProxyCommand=' + _proxy_command(access.jump, access, made))}")
    return made


def _proxy_command(jump: Jump, access: HostCredentials, options: list[str]) -> str:
    """A ProxyCommand with the same options: ProxyJump ignores them, and would check the jump host's key
    against the user's own files.
    """
    words = ["ssh", *shlex.split(" ".join(options)), "-p", str(jump.port)]
    words += ["-i", str(access.private_key)] if access.private_key else []
    words += ["-l", jump.user] if jump.user else []
    known = " ".join(shlex.quote(word.replace("%", "%%")) for word in words)
    return f"{known} -W '[%h]:%p' {jump.host}"
