"""Which paths are ours."""

from typing import get_args

import pytest

from reconciler.documents.config_model import ConfigFile, FirstConfigFile
from reconciler.documents.document import Node
from reconciler.documents.forms import NAME
from reconciler.documents.kinds import KINDS, OLDER, form_of, is_ours, misplaced_file_advice, model_at
from reconciler.documents.model import API_VERSION, FIRST_VERSION, FileModel
from reconciler.documents.workload_model import WorkloadFile


def test_paths_with_and_without_a_kind() -> None:
    assert model_at("workloads/1-1-1-abc.yaml") is WorkloadFile
    for path in ("pricing.yaml", "config.yaml", "adapters/kubernetes.yaml", "adapters/ansible.yaml"):
        assert model_at(path) is not None
    for path in (
        "README.md",
        "workloads/README.md",
        "workloads/a/b.yaml",
        "docs/pricing.yaml",
        ".github/x.yaml",
    ):
        assert model_at(path) is None


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("pricing.yml", "rename it to pricing.yaml"),
        ("workloads/x.yml", "rename it to x.yaml"),
        ("workloads/sub/x.yaml", "move it directly into workloads/"),
        ("adapters/-.yaml", f"give it another name: {NAME.advice}, and no reserved word such as chain"),
        ("adapters/Docker.yaml", "rename it to adapters/docker.yaml: names of files are in lower case"),
        ("Pricing.yaml", "rename it to pricing.yaml: names of files are in lower case"),
        ("pricing.yaml/pricing.yaml", "make pricing.yaml a file; this is a folder of that name"),
        ("adapters/chain.yaml", f"give it another name: {NAME.advice}, and no reserved word such as chain"),
        ("adapters/docker.yaml", None),
        ("adapters/docker.yml", "rename it to docker.yaml"),
        ("README.md", None),
        (".github/workflows/ci.yml", None),
        ("pricing.yaml", None),
    ],
)
def test_misplaced_files_have_advice(path: str, advice: str | None) -> None:
    assert misplaced_file_advice(path) == advice


def test_paths_that_could_hide_our_files() -> None:
    assert is_ours("workloads")
    assert is_ours("adapters/x")
    assert not is_ours("docs/link")


def test_each_kind_names_itself() -> None:
    for kind in KINDS:
        assert kind.model.model_fields["kind"].default == kind.name


def test_the_version_selects_the_older_model() -> None:
    assert form_of(ConfigFile, {}) is FirstConfigFile
    assert form_of(ConfigFile, {"apiVersion": FIRST_VERSION}) is FirstConfigFile
    versions: list[Node] = [API_VERSION, "provider.virtengine.dev/v9", 1, [], None]
    for version in versions:
        assert form_of(ConfigFile, {"apiVersion": version}) is ConfigFile
    assert form_of(WorkloadFile, {"apiVersion": FIRST_VERSION}) is WorkloadFile


def test_models_name_the_existing_versions() -> None:
    assert get_args(FileModel.model_fields["api_version"].annotation) == (API_VERSION, FIRST_VERSION)
    assert OLDER.keys() < {API_VERSION, FIRST_VERSION}


def test_an_older_version_has_the_same_value() -> None:
    """Only names differ: what the forms do not share is told by `migrate`, not by values."""
    for forms in OLDER.values():
        for newest, older in forms.items():
            assert older.model_fields.keys() == newest.model_fields.keys()
