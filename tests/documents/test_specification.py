"""A workload file that uses every part of a specification."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from reconciler.documents.files import read_file
from reconciler.documents.workload_model import WorkloadFile
from reconciler.documents.workload_text import workload_text
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Env, Port, Service, Workload
from reconciler.values.features import AdapterFeatures, Feature, describe_needs, features_of, unsupported
from reconciler.values.gpus import GpuModel
from reconciler.values.resources import Resources
from reconciler.values.specification import (
    ContainerProbe,
    HttpOptions,
    ImageCredentials,
    Rollout,
    RolloutStrategy,
    ServiceVolume,
)
from tests.documents.texts import OWNER, PROVIDER, workload, workload_path

GI = 1 << 30
EVERYTHING = f"""\
kind: Workload
lease: {{owner: {OWNER}, dseq: 7, gseq: 1, oseq: 1}}
services:
  - name: web
    image: registry.example.com/shop:3
    credentials: {{host: registry.example.com, username: shop, email: a@b.c, secret: registry/password}}
    command: [serve]
    args: [--all]
    env: [{{name: MODE, value: a}}, {{name: KEY, secret: keys/token}}, {{name: a.b-c, sealed: "age1:YQ=="}}]
    resources:
      cpu: 2
      arch: arm64
      memory: 4Gi
      storage: 1Gi
      gpu: 1
      gpu_models: [{{model: a100, ram: 80Gi, interface: sxm}}, {{model: t4}}, {{vendor: amd}}]
    volumes:
      - {{name: data, size: 10Gi, class: beta2, mount: /var/lib/data, readOnly: true}}
      - {{name: shm, size: 2Gi, class: ram, mount: /dev/shm}}
      - {{name: tmp, size: 3Gi, mount: /scratch}}
    count: 60
    expose:
      - port: 8080
        as: 80
        global: true
        ip: front
        hosts: [shop.example.com]
        http_options: {{max_body_size: 5, read_timeout: 6, send_timeout: 7, next_tries: 8, next_timeout: 9,
                        next_cases: ["off"]}}
      - {{port: 9, protocol: UDP, service: db}}
    dependencies: [db]
    liveness: {{port: 8080, path: /health, initial_delay: 5s, period: 6s, timeout: 7s, failures: 8}}
    readiness: {{command: [test, -e, /ready]}}
    rollout: {{strategy: Recreate, max_unavailable: 2}}
    termination_grace: 2m
  - name: db
    image: postgres
    resources: {{cpu: 1, memory: 1Gi}}
"""
MODELS = tuple(sorted(map(GpuModel.parse, ("nvidia/a100/80Gi/sxm", "nvidia/t4", "amd"))))
WEB = Service(
    name="web",
    image="registry.example.com/shop:3",
    resources=Resources(2000, 4 * GI, 16 * GI, 1, (("beta2", 10 * GI), ("ram", 2 * GI)), ((MODELS, 1),)),
    count=60,
    command=("serve",),
    args=("--all",),
    env=(Env("MODE", "a"), Env("KEY", secret="keys/token"), Env("a.b-c", sealed="age1:YQ==")),
    ports=(
        Port(
            8080,
            80,
            public=True,
            ip="front",
            hosts=("shop.example.com",),
            http=HttpOptions(5, 6, 7, 8, 9, ("off",)),
        ),
        Port(9, protocol="UDP", service="db"),
    ),
    arch="arm64",
    gpu_models=MODELS,
    volumes=(
        ServiceVolume("data", 10 * GI, "/var/lib/data", "beta2", read_only=True),
        ServiceVolume("shm", 2 * GI, "/dev/shm", "ram"),
        ServiceVolume("tmp", 3 * GI, "/scratch"),
    ),
    credentials=ImageCredentials("registry.example.com", "shop", "registry/password", email="a@b.c"),
    dependencies=("db",),
    liveness=ContainerProbe(8080, "/health", (), 5, 6, 7, 8),
    readiness=ContainerProbe(command=("test", "-e", "/ready")),
    rollout=Rollout(RolloutStrategy.RECREATE, 2),
    grace_seconds=120,
)


def read(text: str) -> Workload:
    found = read_file(workload_path(7), text.encode(), WorkloadFile, PROVIDER)
    assert found.faults == ()
    assert isinstance(found.value, Workload)
    return found.value


def test_every_part_is_read() -> None:
    web, db = read(EVERYTHING).services

    assert web == WEB
    unset = [each.name for each in fields(Service) if getattr(web, each.name) == getattr(db, each.name)]
    assert unset == [], "the file uses every part"
    assert web.ephemeral_bytes == 4 * GI


NOTHING = AdapterFeatures(gpu_models=(GpuModel.parse("nvidia/v100"),))


def test_what_an_adapter_lacks_is_named() -> None:
    needs = [str(need) for need in unsupported(read(EVERYTHING), NOTHING)]

    assert needs == [
        "persistent volume beta2 (service web, volume data)",
        "shared memory (service web, volume shm)",
        "mounted ephemeral volume (service web, volume tmp)",
        "leased IP address front (service web, port 8080)",
        "host name shop.example.com (service web, port 8080)",
        "HTTP options (service web, port 8080)",
        "CPU architecture arm64 (service web)",
        "GPU model amd or nvidia/a100/80Gi/sxm or nvidia/t4 (service web)",
        "image credentials in a granted secret registry.example.com (service web)",
        "probe (service web)",
        "rollout strategy Recreate (service web)",
        "termination grace 120 s (service web)",
    ]
    missing = unsupported(read(EVERYTHING), NOTHING)
    assert describe_needs(missing).endswith("port 8080); and 7 more")


def test_an_adapter_that_provides_all_lacks_nothing_but_other_classes() -> None:
    machines = (frozenset({"arm64"}), (GpuModel.parse("nvidia/t4/16Gi"),))
    everything = AdapterFeatures(frozenset(Feature), frozenset({"beta2"}), *machines)
    other = AdapterFeatures(frozenset(Feature), frozenset({"beta1"}), *machines)

    assert unsupported(read(EVERYTHING), everything) == ()
    assert [need.detail for need in unsupported(read(EVERYTHING), other)] == ["beta2"]


def test_a_file_of_earlier_versions_needs_nothing() -> None:
    found = read_file(workload_path(7), workload(7), WorkloadFile, PROVIDER).value

    assert isinstance(found, Workload)
    assert unsupported(found, features_of(KubernetesSettings())) == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "global: true\n",
            "global: false\n",
            "a port on a leased address needs global: true (add global: true, or remove ip)",
        ),
        (
            "{port: 9, protocol: UDP, service: db}",
            "{port: 80, ip: front, global: true}",
            "80 (TCP) is exposed twice",
        ),
        ("as: 80\n", "as: 81\n", "host names and HTTP options need a global TCP port 80"),
        ("dependencies: [db]", "dependencies: [cache]", "there is no service cache"),
        ("mount: /scratch", "mount: /dev/shm", "two volumes have the mount /dev/shm"),
        ("mount: /scratch", "mount: scratch", '"scratch" is not a path'),
        ("[shop.example.com]", '["*.example.com"]', '"*.example.com" is not a host name'),
        ("{command: [test, -e, /ready]}", "{path: /x}", "give a port, a port and a path, or a command"),
        ("email: a@b.c, secret: registry/password", "email: a@b.c", "give either a secret or a sealed"),
        ("{name: MODE, value: a}", '{name: MODE, value: "a\\0b"}', "is not a text (remove the character NUL"),
        ("{name: MODE, value: a}", '{name: "..", value: a}', '".." is not a variable\'s name'),
        ("count: 60", "count: 2000000", "2000000 is too large"),
        ("class: beta2", "class: ../x", '"../x" is not a name'),
    ],
)
def test_what_contradicts_itself_is_a_fault(old: str, new: str, message: str) -> None:
    assert old in EVERYTHING
    faults = read_file(workload_path(7), EVERYTHING.replace(old, new).encode(), WorkloadFile, PROVIDER).faults

    assert message in " | ".join(fault.describe() for fault in faults)


def test_a_written_workload_is_read_as_the_same() -> None:
    whole = replace(read(EVERYTHING), adapter="kubernetes", paused=True)

    text = workload_text(whole).decode()

    assert read(text) == whole
    assert workload_text(read(text)).decode() == text


def test_what_has_its_default_is_not_written() -> None:
    text = workload_text(read(workload(7).decode())).decode()

    assert text.endswith(
        "services:\n  - name: web\n    image: docker.io/library/nginx:1.27\n    resources:\n"
        "      cpu: 500m\n      memory: 512Mi\n    count: 1\n"
    )
