"""The host file's entries of adapters: two with default names, and any number of others."""

from __future__ import annotations

import pyrage
import pytest

from reconciler.documents.adapter_access_model import AnsibleAccessModel, KubernetesAccessModel
from reconciler.documents.host import limits_of, read_host
from reconciler.documents.host_model import HostFile
from reconciler.values.grants import AnsibleGrants, Grants, KubernetesGrants

HOST = """\
repository: {url: /srv/state}
chain: {grpc: "127.0.0.1:1", rpc: "http://127.0.0.1:2", chain_id: c}
adapters:
"""


def read(adapters: str) -> HostFile | list[str]:
    found = read_host("host.yaml", (HOST + adapters).encode())
    return found if isinstance(found, HostFile) else [fault.describe() for fault in found]


def test_entries_with_other_names_have_a_kind() -> None:
    file = read(
        "  kubernetes: {kubeconfig: k}\n"
        "  east: {kind: KubernetesAdapter, kubeconfig: e, namespaces: [blue]}\n"
        "  racks: {kind: AnsibleAdapter, enabled: true, hosts: [192.0.2.0/24]}\n"
    )
    assert isinstance(file, HostFile)
    assert file.adapters.by_name == {
        "kubernetes": KubernetesAccessModel(kubeconfig="k"),
        "ansible": AnsibleAccessModel(),
        "east": KubernetesAccessModel(kubeconfig="e", namespaces=["blue"]),
        "racks": AnsibleAccessModel(enabled=True, hosts=["192.0.2.0/24"]),
    }
    assert limits_of(file, observe_only=False).grants == Grants(
        {
            "kubernetes": KubernetesGrants(),
            "ansible": AnsibleGrants(),
            "east": KubernetesGrants(("blue",)),
            "racks": AnsibleGrants(True, ("192.0.2.0/24",)),
        }
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "east: {kubeconfig: k}",
            (
                "host.yaml:4:3: adapters.east: the key kind is missing (add kind: KubernetesAdapter or "
                "AnsibleAdapter)"
            ),
        ),
        (
            "east: {kind: NomadAdapter}",
            (
                'host.yaml:4:16: adapters.east.kind: "NomadAdapter" is not supported (write '
                "KubernetesAdapter or AnsibleAdapter)"
            ),
        ),
        (
            "east: {kind: KubernetesAdapter, namespace: [a]}",
            "host.yaml:4:35: adapters.east.namespace: unknown key namespace (did you mean namespaces?)",
        ),
        (
            "racks: {kind: AnsibleAdapter, sudo: 1}",
            "host.yaml:4:39: adapters.racks.sudo: 1 is not true or false (write true or false)",
        ),
        (
            "East: {kind: KubernetesAdapter}",
            (
                'host.yaml:4:9: adapters.East: "East" is not a name (use a-z, 0-9 and -, start with a '
                "letter, at most 63)"
            ),
        ),
        (
            "chain: {kind: KubernetesAdapter}",
            "host.yaml:4:3: adapters.chain: chain is a reserved word (give the adapter another name)",
        ),
        (
            "east: 3",
            (
                "host.yaml:4:9: adapters.east: 3 is not a mapping (keys with values) (write its keys "
                "below it, indented)"
            ),
        ),
        (
            "racks: {kind: AnsibleAdapter, hosts: [192.0.2.1/24]}",
            (
                "host.yaml:4:41: adapters.racks.hosts.0: 192.0.2.1/24 has host bits set (write a range as "
                '"192.0.2.0/24")'
            ),
        ),
        (
            "kubernetes: {kind: AnsibleAdapter}",
            (
                'host.yaml:4:22: adapters.kubernetes.kind: "AnsibleAdapter" is not supported (write '
                "KubernetesAdapter)"
            ),
        ),
    ],
)
def test_a_wrong_entry_is_reported_at_its_place(entry: str, message: str) -> None:
    assert read(f"  {entry}\n") == [message]


def test_the_gateways_host_name_is_reserved() -> None:
    recipient = pyrage.x25519.Identity.generate().to_public()
    gateway = f"sealing: {{recipient: {recipient}}}\n"
    gateway += 'gateway: {address: "127.0.0.1:8443", certificate: c, key: k, hostname: Gate.example.com}\n'
    named, unnamed = (
        read("  kubernetes: {kubeconfig: k}\n" + gateway),
        read("  kubernetes: {kubeconfig: k}\n"),
    )
    assert isinstance(named, HostFile)
    assert isinstance(unnamed, HostFile)
    assert [limits_of(each, observe_only=False).gateway_host for each in (named, unnamed)] == [
        "Gate.example.com",
        "",
    ]
