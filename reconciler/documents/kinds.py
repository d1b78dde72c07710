"""Kinds of files: the path selects the kind, and `kind` in the file must agree."""

import re
from dataclasses import dataclass

from reconciler.documents.adapter_models import AdapterFile, AnsibleFile, KubernetesFile
from reconciler.documents.config_model import ConfigFile, FirstConfigFile
from reconciler.documents.document import Node
from reconciler.documents.forms import NAME
from reconciler.documents.model import FIRST_VERSION, FileModel
from reconciler.documents.pricing_model import PricingFile
from reconciler.documents.workload_model import WorkloadFile
from reconciler.values.adapters import ANSIBLE, KUBERNETES, AdapterKind, adapter_path
from reconciler.values.subjects import Subject

CONFIG = "config.yaml"
PRICING = "pricing.yaml"
ADAPTERS = "adapters/"
WORKLOADS = "workloads/"

SINGLE: dict[str, type[FileModel]] = {
    CONFIG: ConfigFile,
    PRICING: PricingFile,
    adapter_path(KUBERNETES): KubernetesFile,
    adapter_path(ANSIBLE): AnsibleFile,
}
"""Models of the files with a fixed path."""

REQUIRED = (CONFIG, PRICING)
"""Files that every state repository needs."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: its name in `kind`, the file name of its schema, its model."""

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
"""The kinds of a state repository."""

OLDER: dict[str, dict[type[FileModel], type[FileModel]]] = {FIRST_VERSION: {ConfigFile: FirstConfigFile}}
"""By apiVersion: older forms of models that differ from the newest in more than the version.

A field keeps its Python name in all forms; an older form gives it its old key as alias. Reading, schemas and
`migrate` follow from the models.
"""


ADAPTER_MODELS: dict[str, type[FileModel]] = {
    AdapterKind.KUBERNETES: KubernetesFile,
    AdapterKind.ANSIBLE: AnsibleFile,
}
"""The models of adapter files by `kind`."""


def form_of(model: type[FileModel], root: dict[str, Node]) -> type[FileModel]:
    """The model for the file's kind and apiVersion; for an unknown version, the newest."""
    if model is AdapterFile and isinstance(kind := root.get("kind"), str):
        model = ADAPTER_MODELS.get(kind, model)
    version = root.get("apiVersion", FIRST_VERSION)
    return OLDER.get(version, {}).get(model, model) if isinstance(version, str) else model


def model_at(path: str) -> type[FileModel] | None:
    """The model of the file at a path; None for any other file."""
    if path in SINGLE:
        return SINGLE[path]
    folder, _, name = path.rpartition("/")
    if not name.endswith(".yaml"):
        return None
    if f"{folder}/" == ADAPTERS:
        return AdapterFile if adapter_at(path) else None
    return WorkloadFile if f"{folder}/" == WORKLOADS else None


def adapter_at(path: str) -> str:
    """The name of the adapter whose file this is; "" for any other path."""
    name = path.removeprefix(ADAPTERS).removesuffix(".yaml")
    valid = path == adapter_path(name) and _NAME.fullmatch(name) and Subject.names_adapter(name)
    return name if valid else ""


_NAME = re.compile(NAME.pattern)


def meant_path(path: str) -> str | None:
    """The path of a file that has one but for upper case or another ending; None for any other."""
    stem, _, ending = path.lower().rpartition(".")
    meant = f"{stem}.yaml"
    return meant if meant != path and ending in ("yaml", "yml", "json") and model_at(meant) else None


def misplaced_file_advice(path: str) -> str | None:
    """Advice for a file that is ignored although its path is similar to a valid one; None for any other."""
    folder, _, name = path.rpartition("/")
    ending = name.rpartition(".")[2].lower()
    if model_at(path) or ending not in ("yaml", "yml", "json"):
        return None
    if path.split("/")[0] in REQUIRED:
        return f"make {path.split('/')[0]} a file; this is a folder of that name"
    if meant := meant_path(path):
        why = "" if path == path.lower() else ": names of files are in lower case"
        return f"rename it to {meant if why else meant.rpartition('/')[2]}{why}"
    if f"{folder}/" == ADAPTERS:
        return f"give it another name: {NAME.advice}, and no reserved word such as chain"
    return "move it directly into workloads/" if path.startswith(WORKLOADS) else None


def is_ours(path: str) -> bool:
    """Whether an entry at this path can be or hide a file with a model (a link named `workloads` hides)."""
    return path in SINGLE or path.split("/")[0] in ("workloads", "adapters")
