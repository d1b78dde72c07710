"""Which paths are ours."""

import pytest

from reconciler.documents.kinds import KINDS, is_ours, misplaced, model_at
from reconciler.documents.workload_model import WorkloadFile


def test_paths_of_ours_and_of_nobody() -> None:
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
        ("workloads/sub/x.yaml", "put it right into workloads/"),
        ("adapters/docker.yaml", "adapters are kubernetes.yaml and ansible.yaml"),
        ("README.md", None),
        (".github/workflows/ci.yml", None),
        ("pricing.yaml", None),
    ],
)
def test_files_that_look_like_ours(path: str, advice: str | None) -> None:
    assert misplaced(path) == advice


def test_what_could_hide_files_of_ours() -> None:
    assert is_ours("workloads")
    assert is_ours("adapters/x")
    assert not is_ours("docs/link")


def test_each_kind_names_itself() -> None:
    for kind in KINDS:
        assert kind.model.model_fields["kind"].default == kind.name
