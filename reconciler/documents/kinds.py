"""Which file is of which kind: the path decides, `kind` in the file must agree."""

from dataclasses import dataclass

from reconciler.documents.adapter_models import AnsibleFile, KubernetesFile
from reconciler.documents.config_model import ConfigFile, FirstConfigFile
from reconciler.documents.document import Node
from reconciler.documents.model import FIRST_FORM, FileModel
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
class FileKind:
    """A kind of document: its name in `kind`, the name of its schema, its model."""

    name: str
    schema: str
    model: type[FileModel]


KINDS = (
    FileKind("Config", "config.json", ConfigFile),
    FileKind("Pricing", "pricing.json", PricingFile),
    FileKind("KubernetesAdapter", "kubernetes-adapter.json", KubernetesFile),
    FileKind("AnsibleAdapter", "ansible-adapter.json", AnsibleFile),
    FileKind("Workload", "workload.json", WorkloadFile),
)
"""What a state repository holds."""

OLDER: dict[str, dict[type[FileModel], type[FileModel]]] = {FIRST_FORM: {ConfigFile: FirstConfigFile}}
"""By apiVersion: the forms of a model that are written otherwise than now; the rest only names its version.

A field keeps its name through all forms, and an older one gives it the alias of its day: so reading, schemas
and `migrate` follow from the models alone.
"""


def form_of(model: type[FileModel], root: dict[str, Node]) -> type[FileModel]:
    """The model as of the apiVersion that the file names; of one that is not known, the newest."""
    version = root.get("apiVersion", FIRST_FORM)
    return OLDER.get(version, {}).get(model, model) if isinstance(version, str) else model


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
