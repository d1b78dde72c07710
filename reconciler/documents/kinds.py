"""Which file is of which kind: the path decides, `kind` in the file must agree."""

from dataclasses import dataclass

from reconciler.documents.adapter_models import AnsibleFile, KubernetesFile
from reconciler.documents.config_model import ConfigFile
from reconciler.documents.model import FileModel
from reconciler.documents.pricing_model import PricingFile
from reconciler.documents.workload_model import WorkloadFile

CONFIG = "config.yaml"
PRICING = "pricing.yaml"
KUBERNETES = "adapters/kubernetes.yaml"
ANSIBLE = "adapters/ansible.yaml"
WORKLOADS = "workloads/"

SINGLE: dict[str, type[FileModel]] = {
    CONFIG: ConfigFile,
    PRICING: PricingFile,
    KUBERNETES: KubernetesFile,
    ANSIBLE: AnsibleFile,
}
"""The files of which there is one, by path."""

REQUIRED = (CONFIG, PRICING)
"""Without these there is nothing to act by."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its name in `kind`, the name of its schema, its model."""

    name: str
    schema: str
    model: type[FileModel]


KINDS = (
    Kind("Config", "config.json", ConfigFile),
    Kind("Pricing", "pricing.json", PricingFile),
    Kind("KubernetesAdapter", "kubernetes-adapter.json", KubernetesFile),
    Kind("AnsibleAdapter", "ansible-adapter.json", AnsibleFile),
    Kind("Workload", "workload.json", WorkloadFile),
)


def model_at(path: str) -> type[FileModel] | None:
    """The model of the file at a path; None for a file that is not ours to read."""
    if path in SINGLE:
        return SINGLE[path]
    name = path.removeprefix(WORKLOADS)
    return WorkloadFile if name != path and name.endswith(".yaml") and "/" not in name else None


def misplaced(path: str) -> str | None:
    """What to do with a file that looks like ours and is not read; None where there is nothing to say."""
    folder, _, name = path.rpartition("/")
    stem, _, ending = name.rpartition(".")
    if model_at(path) or ending not in ("yaml", "yml", "json"):
        return None
    if ending != "yaml" and model_at(f"{folder}/{stem}.yaml".removeprefix("/")):
        return f"rename it to {stem}.yaml"
    if folder == "adapters":
        return "adapters are kubernetes.yaml and ansible.yaml"
    return "put it right into workloads/" if path.startswith(WORKLOADS) else None


def is_ours(path: str) -> bool:
    """Whether something at this path could hold or hide a file of ours (a link named `workloads` does)."""
    return path in SINGLE or path.split("/")[0] in ("workloads", "adapters")
