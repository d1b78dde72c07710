"""`adapters/ansible.yaml` as a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.documents.adapter_models import AnsibleFile
from reconciler.documents.files import read_file
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, ContainerEngine
from reconciler.values.resources import Resources

TEMPLATE = Path(__file__).parents[2] / "state-repo-template" / "adapters" / "ansible.yaml"
PATH = "adapters/ansible.yaml"

FILE = b"""
enabled: true
groups:
- name: rack
  user: provider
  sudo: true
  capacity: {cpu: 8, memory: 16Gi, storage: 200Gi}
  attributes: [region=eu, disk=ssd]
  hosts:
  - {name: one, address: 192.0.2.1}
  - name: two
    address: localhost
    port: 2222
    attributes: [disk=nvme]
    capacity: {cpu: 500m, memory: 1Mi, storage: 1, gpu: 2}
"""


def test_host_settings_override_group_settings() -> None:
    settings = read_file(PATH, FILE, AnsibleFile, None).value
    assert isinstance(settings, AnsibleSettings)
    whole = Resources(8_000, 16 << 30, 200 << 30)
    one = AnsibleHost("one", "192.0.2.1", 22, whole, (("disk", "ssd"), ("region", "eu")))
    own = (("disk", "nvme"), ("region", "eu"))
    two = AnsibleHost("two", "localhost", 2222, Resources(500, 1 << 20, 1, 2), own)
    assert settings.groups == (AnsibleGroup("rack", (one, two), "provider", True, ContainerEngine.PODMAN),)
    assert settings.hosts == {"one": one, "two": two}


def test_commented_template_settings_are_valid() -> None:
    text = TEMPLATE.read_text()
    shown = text.replace("groups: []\n", "groups:\n").replace("\n# - ", "\n- ").replace("\n#   ", "\n  ")
    settings = read_file(PATH, shown.encode(), AnsibleFile, None).value
    assert isinstance(settings, AnsibleSettings)
    assert sorted(settings.hosts) == ["node-1", "node-2"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('groups: [{name: a, hosts: [{name: a, address: "-oProxyCommand=x"}]}]', "is not a host's address"),
        ('groups: [{name: a, hosts: [{name: b, address: "a b"}]}]', "is not a host's address"),
        ("groups: [{name: a, hosts: [{name: a, address: b}]}]", "duplicate name a"),
        ('groups: [{name: a, user: "-l", hosts: [{name: b, address: b}]}]', "is not a user's name"),
        ("storage: {path: /srv/../etc}", "is not a directory"),
        ("storage: {path: srv}", "is not a directory"),
        ('network: {address: "::1 x"}', "is not an IPv4 address"),
        ("groups: [{name: a, attributes: [x], hosts: [{name: b, address: b}]}]", "is not an attribute"),
        ("groups: [{name: a, playbook: x.yml, hosts: [{name: b, address: b}]}]", "unknown key playbook"),
    ],
)
def test_invalid_adapter_files_are_rejected(line: str, fault: str) -> None:
    faults = read_file(PATH, line.encode(), AnsibleFile, None).faults
    assert fault in " ".join(each.message for each in faults)
