"""Connection variables of hosts."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.ansible.credentials import HostCredentials, Jump
from reconciler.adapters.ansible.inventory import inventory_of
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost

CREDENTIALS = HostCredentials(private_key=Path("/keys/id"), known_hosts=Path("/keys/known hosts"))


def test_this_machine_needs_no_ssh() -> None:
    found = inventory_of(AnsibleGroup("here", (AnsibleHost("one", LOCALHOST),)), CREDENTIALS)
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    assert found == {"all": {"hosts": {"one": python | {"ansible_become": False}}}}


def test_remote_hosts_need_our_key_and_a_known_host_key() -> None:
    group = AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1", 2222),), user="provider", sudo=True)
    [variables] = inventory_of(group, CREDENTIALS)["all"]["hosts"].values()
    words = shlex.split(variables.pop("ansible_ssh_common_args"))
    assert words[:2] == ["-F", "none"]
    assert "StrictHostKeyChecking=yes" in words
    assert 'UserKnownHostsFile="/keys/known hosts"' in words
    assert "IdentityAgent=none" in words
    assert variables == {
        "ansible_connection": "ssh",
        "ansible_host": "192.0.2.1",
        "ansible_port": 2222,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_user": "provider",
        "ansible_ssh_private_key_file": "/keys/id",
        "ansible_become": True,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gate.example", ["-p", "22", "-i", "/keys/id", "-W", "[%h]:%p", "gate.example"]),
        (
            "ops@[2001:db8::1]:2222",
            ["-p", "2222", "-i", "/keys/id", "-l", "ops", "-W", "[%h]:%p", "2001:db8::1"],
        ),
    ],
)
def test_a_jump_host_needs_our_key_and_its_own_known_host_key(text: str, words: list[str]) -> None:
    access = replace(CREDENTIALS, jump=Jump.parse(text))
    hosts = (AnsibleHost("one", "192.0.2.1"), AnsibleHost("two", LOCALHOST))
    found = inventory_of(AnsibleGroup("rack", hosts), access)["all"]["hosts"]
    options = shlex.split(found["one"]["ansible_ssh_common_args"])
    [proxy] = [each for each in options if each.startswith("ProxyCommand=")]
    command = shlex.split(proxy.removeprefix("ProxyCommand="))
    assert command[:3] == ["ssh", "-F", "none"]
    assert {"StrictHostKeyChecking=yes", 'UserKnownHostsFile="/keys/known hosts"'} < set(command)
    assert command[-len(words) :] == words
    assert "StrictHostKeyChecking=yes" in options
    assert "ansible_ssh_common_args" not in found["two"]


def test_a_run_may_include_only_some_hosts() -> None:
    group = AnsibleGroup("here", (AnsibleHost("one", LOCALHOST), AnsibleHost("two", LOCALHOST)))
    assert list(inventory_of(group, CREDENTIALS, only=["two"])["all"]["hosts"]) == ["two"]
