from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.kubernetes.gpus import NodeGpu, missing_gpu, model_of_product, node_gpu
from reconciler.adapters.kubernetes.pods import Rendering, pod_spec
from reconciler.adapters.kubernetes.views import NodeView, node_view
from reconciler.adapters.kubernetes.workload_view import capacity_of
from reconciler.devnet.cluster.nodes import NodeSize, new_node
from reconciler.devnet.cluster.selectors import has_affinity
from reconciler.values.clusters import GpuLabel, KubernetesSettings
from reconciler.values.desired import Service, Workload
from reconciler.values.features import features_of, unsupported
from reconciler.values.gpus import GpuModel
from reconciler.values.readings import Seen
from tests.adapters.kubernetes.makers import SPACE, raw
from tests.contracts.adapter_backends import service, workload

PRODUCT, MEMORY = "nvidia.com/gpu.product", "nvidia.com/gpu.memory"
POOL = GpuLabel("pool", "old", GpuModel("", "v100", "16Gi"))
SIZES = {
    "a100": NodeSize(gpu=8, labels=((PRODUCT, "NVIDIA-A100-SXM4-80GB"), (MEMORY, "81920"))),
    "small a100": NodeSize(gpu=8, labels=((PRODUCT, "NVIDIA-A100-PCIE-40GB"),)),
    "t4": NodeSize(gpu=4, labels=((PRODUCT, "Tesla-T4"), (MEMORY, "15360"))),
    "mislabelled": NodeSize(gpu=4, labels=((PRODUCT, "NVIDIA-A100-SXM4-80GB"), ("pool", "old"))),
    "unlabelled": NodeSize(gpu=4),
    "amd": NodeSize(
        gpu=8, gpus="amd.com/gpu", labels=(("amd.com/gpu.product-name", "AMD_Instinct_MI300X_OAM"),)
    ),
    "arm": NodeSize(labels=(("kubernetes.io/arch", "arm64"),)),
    "arm t4": NodeSize(gpu=1, labels=((PRODUCT, "Tesla-T4"), ("kubernetes.io/arch", "arm64"))),
    "plain": NodeSize(),
}
"""The nodes of a mixed cluster."""


def nodes(*names: str) -> list[NodeView]:
    made = (new_node(name, SIZES[name], "") for name in names or SIZES)
    return [node_view(raw(each), (POOL,)) for each in made]


def asking(*models: str, arch: str = "", gpu: int = 1) -> Service:
    accepted = tuple(map(GpuModel.parse, models))
    made = service(gpu_models=accepted, arch=arch)
    return replace(made, resources=replace(made.resources, gpu=gpu))


def rendered(wanted: Workload, views: list[NodeView]) -> Rendering:
    made = KubernetesSettings(gpu_labels=(POOL,))
    return Rendering(SPACE, wanted, "d", made, gpus=tuple(each.gpu for each in views if each.gpu))


@pytest.mark.parametrize(
    ("product", "model"),
    [
        ("NVIDIA-A100-SXM4-80GB", "nvidia/a100/80Gi/sxm"),
        ("A100-PCIE-40GB", "nvidia/a100/40Gi/pcie"),
        ("NVIDIA-H100-PCIe", "nvidia/h100/*/pcie"),
        ("NVIDIA-H100-80GB-HBM3", "nvidia/h100/80Gi"),
        ("Tesla-V100-SXM2-16GB", "nvidia/v100/16Gi/sxm"),
        ("NVIDIA-GeForce-RTX-4090", "nvidia/rtx4090"),
        ("NVIDIA-RTX-A6000", "nvidia/rtxa6000"),
        ("NVIDIA-RTX-6000-Ada-Generation", "nvidia/rtx6000ada"),
        ("Tesla-T4-SHARED", "nvidia/t4shared"),
        ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "nvidia/a100mig1g.5gb/40Gi/sxm"),
    ],
)
def test_a_products_name_is_the_model_as_orders_name_it(product: str, model: str) -> None:
    """A shared GPU, or a slice of one, is none that an order names."""
    assert model_of_product("nvidia", product) == GpuModel.parse(model)


@pytest.mark.parametrize(
    ("memory", "ram"),
    [("15360", "16Gi"), ("23028", "24Gi"), ("46068", "48Gi"), ("143771", "141Gi"), ("99999999", "97656Gi")]
    + [(text, "") for text in ("", "much", "-5", "1e9", "²", "9" * 40)],
)
def test_memory_is_named_as_it_is_sold(memory: str, ram: str) -> None:
    found = node_gpu("nvidia", {PRODUCT: "NVIDIA-L4", MEMORY: memory}, ())
    assert found is not None
    assert found.model == GpuModel("nvidia", "l4", ram)


@pytest.mark.parametrize(
    ("wanted", "runs_on"),
    [
        (asking("nvidia/a100"), {"a100", "small a100"}),
        (asking("nvidia/a100/80Gi"), {"a100"}),
        (asking("nvidia/a100/80Gi", "nvidia/t4/16Gi"), {"a100", "t4"}),
        (asking("nvidia/v100"), {"mislabelled"}),
        (asking("nvidia/*/*/pcie"), {"small a100"}),
        (asking("nvidia/t4", arch="arm64"), {"arm t4"}),
        (asking("nvidia"), {"a100", "small a100", "t4", "mislabelled", "unlabelled", "arm t4"}),
        (asking("nvidia", arch="arm64"), {"arm t4"}),
        (asking(), {"a100", "small a100", "t4", "mislabelled", "unlabelled", "arm t4"}),
        (asking("amd"), {"amd"}),
        (asking("amd/mi300x"), {"amd"}),
        (asking("amd/mi300x", "nvidia/h100"), {"amd"}),
        (asking(gpu=0), set(SIZES)),
        (asking(gpu=0, arch="arm64"), {"arm", "arm t4"}),
    ],
)
def test_a_pod_runs_only_on_nodes_of_its_gpu_model_and_architecture(
    wanted: Service, runs_on: set[str]
) -> None:
    spec = pod_spec(rendered(workload(1, wanted), nodes()), wanted, ())
    amounts = spec["containers"][0]["resources"]["limits"]
    found = set()
    for name, size in SIZES.items():
        node = new_node(name, size, "")
        needed = {key for key in amounts if key.endswith("/gpu")}
        if has_affinity(spec, node["metadata"]["labels"]) and needed <= size.allocatable().keys():
            found.add(name)
    assert found == runs_on


@pytest.mark.parametrize(
    ("wanted", "machines", "missing"),
    [
        (asking("nvidia/a100"), (), False),
        (asking("nvidia/a100"), ("t4", "unlabelled", "amd"), True),
        (asking("nvidia/a100"), ("unlabelled",), True),
        (asking("nvidia"), ("unlabelled",), False),
        (asking("amd/mi300x"), ("a100",), True),
        (asking("amd"), ("a100",), True),
        (asking("nvidia/v100/16Gi"), ("mislabelled",), False),
    ],
)
def test_what_no_node_has_is_neither_bid_on_nor_started(
    wanted: Service, machines: tuple[str, ...], missing: bool
) -> None:
    views = nodes(*machines)
    reading = capacity_of(views, [], [], None)
    assert isinstance(reading, Seen)

    features = features_of(KubernetesSettings(), reading.view)

    assert bool(unsupported(workload(1, wanted), features)) == missing
    if missing and wanted.gpu_models != (GpuModel("amd"),):
        gpus = tuple(each.gpu for each in views if each.gpu)
        assert missing_gpu(wanted, gpus) == str(wanted.gpu_models[0])


def test_machines_name_their_architecture_and_the_model_and_number_of_their_gpus() -> None:
    reading = capacity_of(nodes("a100", "amd", "arm", "unlabelled"), [], [], None)
    assert isinstance(reading, Seen)

    found = {each.name: (each.offered.gpu, dict(each.attributes)) for each in reading.view.machines}

    assert found == {
        "a100": (8, {"arch": "amd64", "gpu": "nvidia/a100/80Gi/sxm"}),
        "amd": (8, {"arch": "amd64", "gpu": "amd/mi300x"}),
        "arm": (0, {"arch": "arm64"}),
        "unlabelled": (4, {"arch": "amd64", "gpu": "nvidia"}),
    }


def test_pods_with_gpus_have_their_own_runtime_class() -> None:
    """User namespaces are asked for only where that runtime has them."""
    settings = KubernetesSettings(runtime_class="gvisor", gpu_runtime_class="nvidia")
    plain, gpus = service(), asking("nvidia")
    made = Rendering(SPACE, workload(1, plain, gpus), "d", settings, frozenset({"gvisor"}))

    found = [pod_spec(made, each, ()) for each in (plain, gpus)]

    assert [each["runtimeClassName"] for each in found] == ["gvisor", "nvidia"]
    assert ["hostUsers" in each for each in found] == [True, False]


def test_a_node_without_gpus_names_none() -> None:
    assert node_gpu("", {PRODUCT: "Tesla-T4"}, ()) is None
    assert nodes("plain")[0].gpu is None
    assert nodes("unlabelled")[0].gpu == NodeGpu(GpuModel("nvidia"))
