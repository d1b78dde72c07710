"""How hosts are reached."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.ansible.credentials import HostCredentials, Jump
from reconciler.adapters.ansible.inventory import inventory_of
from reconciler.values.hosts import HERE, AnsibleGroup, AnsibleHost

ACCESS = HostCredentials(private_key=Path("/keys/id"), known_hosts=Path("/keys/known hosts"))


def test_this_machine_is_reached_without_ssh() -> None:
    found = inventory_of(AnsibleGroup("here", (AnsibleHost("one", HERE),)), ACCESS)
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    assert found == {"all": {"hosts": {"one": python | {"ansible_become": False}}}}


def test_others_are_reached_with_our_key_and_only_if_theirs_is_known() -> None:
    group = AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1", 2222),), user="provider", sudo=True)
    [variables] = inventory_of(group, ACCESS)["all"]["hosts"].values()
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
def test_a_jump_host_is_reached_with_our_key_and_only_if_its_own_is_known(
    text: str, words: list[str]
) -> None:
    access = replace(ACCESS, jump=Jump.parse(text))
    hosts = (AnsibleHost("one", "192.0.2.1"), AnsibleHost("two", HERE))
    found = inventory_of(AnsibleGroup("rack", hosts), access)["all"]["hosts"]
    options = shlex.split(found["one"]["ansible_ssh_common_args"])
    [proxy] = [each for each in options if each.startswith("ProxyCommand=")]
    asked = shlex.split(proxy.removeprefix("ProxyCommand="))
    assert asked[:3] == ["ssh", "-F", "none"]
    assert {"StrictHostKeyChecking=yes", 'UserKnownHostsFile="/keys/known hosts"'} < set(asked)
    assert asked[-len(words) :] == words
    assert "StrictHostKeyChecking=yes" in options
    assert "ansible_ssh_common_args" not in found["two"]


def test_a_run_may_be_for_some_hosts_only() -> None:
    group = AnsibleGroup("here", (AnsibleHost("one", HERE), AnsibleHost("two", HERE)))
    assert list(inventory_of(group, ACCESS, only=["two"])["all"]["hosts"]) == ["two"]
