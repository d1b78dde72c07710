"""Credentials of plain hosts."""

from __future__ import annotations

from pathlib import Path

from reconciler.adapters.ansible.credentials import HostCredentials, host_credentials_of
from reconciler.documents.adapter_access_model import AnsibleAccessModel


def test_relative_paths_start_at_the_host_files_directory(tmp_path: Path) -> None:
    model = AnsibleAccessModel(private_key="keys/id", known_hosts="/etc/hosts.keys")
    assert host_credentials_of("ansible", tmp_path, model) == HostCredentials(
        tmp_path / "keys/id", Path("/etc/hosts.keys"), storage_paths=("/var/lib/provider-workloads",)
    )


def test_missing_files_and_secrets_that_others_may_read_are_errors(tmp_path: Path) -> None:
    key, known = tmp_path / "id", tmp_path / "known"
    key.write_text("x")
    key.chmod(0o644)
    known.write_text("x")
    known.chmod(0o644)
    missing = tmp_path / "vault"
    assert list(HostCredentials(key, known, missing).errors()) == [
        f"others may read {key}; run chmod 600 {key}",
        f"{missing}: cannot be read: No such file or directory; see adapters.ansible.vault in the host file",
    ]
    key.chmod(0o600)
    assert list(HostCredentials(key, known).errors()) == []
