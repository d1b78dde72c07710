"""Manifests become specifications, and workload files that are read as the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.main import provider_daemon
from reconciler.cli.workload.sdl_file import workload_file_of
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.sdl_groups import read_deployment
from reconciler.manifests.specification import Specification, specification_of
from reconciler.values.desired import Port
from reconciler.values.gpus import GpuModel
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.specification import ImageCredentials, ServiceVolume
from tests.documents.texts import lease
from tests.replay.manifests import vectors_of

SDL_FILES = Path(__file__).parents[1] / "vectors/tenant/sdl/sdl.jsonl"
CASES = {vector["name"]: vector for vector in vectors_of(SDL_FILES) if vector["accepted"]}
WITHOUT_SPECIFICATION = {
    "image-spaces": "image ' ' is not an image",
    "expose-as-70000": "port 80: the outer port 70000 is above 65535",
}
"""Valid SDL files of which no specification can be made."""


def specification(name: str) -> Specification:
    deployment = read_deployment(CASES[name]["sdl"].encode())
    return specification_of((deployment.manifest.groups or ())[0], deployment.dependencies)


def test_valid_files_become_workload_files() -> None:
    """The command reads its own file again, so that a file that is written is valid."""
    refused = {}
    for name, vector in CASES.items():
        for number in range(1, len(vector["groups"]) + 1):
            key = LeaseId.parse(str(lease(1)).replace("/1/1/1/", f"/1/{number}/1/"))
            try:
                workload_file_of(vector["sdl"].encode(), key)
            except ManifestError as error:
                refused[name] = str(error)

    assert refused.keys() == WITHOUT_SPECIFICATION.keys()
    assert all(text in refused[name] for name, text in WITHOUT_SPECIFICATION.items())


def test_volumes_have_their_class_and_mount() -> None:
    (web,) = specification("storage-two-mounts").services
    (shm,) = specification("storage-ram").services

    assert [volume.mount for volume in web.volumes] == ["/a", "/b"]
    assert web.ephemeral_bytes == web.resources.storage_bytes == 3 << 30
    assert [(each.storage_class, each.is_persistent) for each in shm.volumes] == [("ram", False)]
    assert shm.ephemeral_bytes < shm.resources.storage_bytes


def test_gpus_have_their_models() -> None:
    (any_model,) = specification("gpu-any").services
    (one,) = specification("gpu-model").services

    assert any_model.gpu_models == (GpuModel("nvidia"),)
    assert all(model.model for model in one.gpu_models)
    assert one.resources.gpu_models == ((one.gpu_models, one.resources.gpu),)


def test_hosts_options_addresses_and_dependencies_are_kept() -> None:
    assert specification("accept").services[0].ports[0].hosts
    assert specification("http-options").services[0].ports[0].http.body_bytes_max != 1 << 20
    assert any(port.ip for port in specification("ip").services[0].ports)
    assert any(service.dependencies for service in specification("dependencies").services)


def test_a_port_with_several_recipients_is_one_port() -> None:
    to = "to: [{service: db}, {global: true}, {service: web}]"
    deployment = read_deployment(CASES["minimal"]["sdl"].replace("to: [{global: true}]", to).encode())
    made = specification_of((deployment.manifest.groups or ())[0])

    assert made.services[0].ports == (Port(80, public=True),)
    assert made.notes == ("service web, port 80: there is no service db",)


def test_two_services_of_one_name_have_no_specification() -> None:
    deployment = read_deployment(CASES["minimal"]["sdl"].encode())
    (group,) = deployment.manifest.groups or ()

    with pytest.raises(ManifestError, match="has two services of the name web"):
        specification_of(replace(group, services=(group.services or ()) * 2))


def test_a_password_is_not_written() -> None:
    made = specification("credentials")

    assert made.services[0].credentials == ImageCredentials(
        "registry.example.com", "me", "web-registry/password"
    )
    assert "s3cret" not in str(made)
    assert "store it as the secret web-registry/password" in made.notes[0]


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("expose-to-unknown-service", "there is no service nobody"),
        ("accept-on-inner", "host names and HTTP options count for a global TCP port 80 only"),
        ("storage-persistent-no-mount-2.1", "volume data has no mount path"),
    ],
)
def test_what_has_no_effect_is_noted(name: str, note: str) -> None:
    assert note in " ".join(specification(name).notes)


def test_a_persistent_volume_without_class_is_of_the_default_one() -> None:
    text = CASES["storage-persistent"]["sdl"].replace("class: beta2", "")
    deployment = read_deployment(text.encode())
    volumes = specification_of((deployment.manifest.groups or ())[0]).services[0].volumes

    assert [volume for volume in volumes if volume.is_persistent]
    assert all(isinstance(volume, ServiceVolume) for volume in volumes)


def test_the_command_writes_the_file_of_the_lease(tmp_path: Path) -> None:
    sdl = tmp_path / "shop.yaml"
    sdl.write_text(CASES["dependencies"]["sdl"])
    arguments = ["workload", "from-sdl", str(sdl), "--lease", str(lease(1)), "--directory", str(tmp_path)]

    first = CliRunner().invoke(provider_daemon, arguments)
    again = CliRunner().invoke(provider_daemon, arguments)
    printed = CliRunner().invoke(provider_daemon, [*arguments, "--print"])

    path = tmp_path / "workloads" / f"{workload_id(lease(1))}.yaml"
    assert first.exit_code == 0, first.output
    assert printed.output == path.read_text()
    assert "--force replaces it" in str(again.exception)


@pytest.mark.parametrize(
    ("text", "key", "error"),
    [
        ("version: 1", lease(1), 'unsupported version "1.0.0"'),
        (json.dumps([]), lease(1), "no version found"),
        (CASES["minimal"]["sdl"], LeaseId.parse(str(lease(1)).replace("/1/1/1/", "/1/2/1/")), "number 2"),
    ],
)
def test_the_command_says_why_it_refuses(text: str, key: LeaseId, error: str, tmp_path: Path) -> None:
    sdl = tmp_path / "sdl.yaml"
    sdl.write_text(text)

    refused = CliRunner().invoke(provider_daemon, ["workload", "from-sdl", str(sdl), "--lease", str(key)])

    assert error in str(refused.exception)
