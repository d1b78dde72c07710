"""What adapters render for one specification, as hashes: a change restarts running workloads deliberately."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from reconciler.adapters.ansible.host_spec import host_spec_of
from reconciler.adapters.kubernetes.gpus import NodeGpu
from reconciler.adapters.kubernetes.manifests import (
    controller_manifests,
    policy_manifests,
    service_manifests,
)
from reconciler.planning.workloads import RENDERING
from reconciler.values.desired import Env, Port, Workload
from reconciler.values.gpus import GpuModel
from tests.adapters.ansible.makers import hosts
from tests.adapters.kubernetes.makers import rendering
from tests.contracts.adapter_backends import service, workload

RENDERED = {
    2: {"ansible": "768b68040a55bf7f", "kubernetes": "810370c03963bec2"},
    3: {"ansible": "768b68040a55bf7f", "kubernetes": "b40f3002ce06c9a8"},
    4: {"ansible": "768b68040a55bf7f", "kubernetes": "12565c13605bb195"},
}
"""The hashes of each value of `RENDERING`; only the newest is checked."""


def everything() -> Workload:
    """A specification that uses every field."""
    web = service(
        command=("serve",),
        args=("--all",),
        env=(Env("MODE", "a"), Env("KEY", secret="keys/token")),
        ports=(Port(80, public=True), Port(53, protocol="UDP"), Port(8080, exposed_as=81)),
        count=2,
    )
    models = (GpuModel("nvidia", "a100"),)
    web = replace(web, resources=replace(web.resources, gpu=1), gpu_models=models, arch="amd64")
    return workload(1, web, service("db"))


def hash_of(rendered: object) -> str:
    return hashlib.sha256(json.dumps(rendered, sort_keys=True).encode()).hexdigest()[:16]


def test_a_changed_rendering_has_a_new_number() -> None:
    wanted = everything()
    gpus = (NodeGpu(GpuModel("nvidia", "a100"), (("nvidia.com/gpu.product", "A100"),)),)
    made = replace(rendering(wanted, "digest"), gpus=gpus)
    manifests = [
        *policy_manifests(made),
        *service_manifests(made),
        *controller_manifests(made, {"web": "10.0.0.1", "db": "10.0.0.2"}),
    ]
    rendered = {
        "ansible": hash_of(host_spec_of(wanted, "digest", hosts(), host_gpus=2)),
        "kubernetes": hash_of(manifests),
    }
    assert rendered == RENDERED[RENDERING], "raise planning.workloads.RENDERING and add the hashes here"
