"""The template of a state repository: valid, priced as promised, checked by editors through its modelines."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.documents.desired import validate
from reconciler.documents.files import read_file
from reconciler.documents.kinds import SINGLE
from reconciler.documents.schemas import schemas
from reconciler.documents.workload_model import WorkloadFile
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Config, Pricing
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.money import ceil_uve
from tests.documents.texts import OWNER

TEMPLATE = Path(__file__).parents[2] / "state-repo-template"
FILES = {
    path.relative_to(TEMPLATE).as_posix(): path.read_bytes() for path in TEMPLATE.rglob("*") if path.is_file()
}


def test_the_template_leaves_one_choice_to_the_operator() -> None:
    path = "adapters/kubernetes.yaml"
    (choice,) = validate(FILES)
    assert (choice.path, choice.warning) == (path, True)
    assert "network_policy is missing" in choice.message
    assert FILES[path].splitlines()[choice.line - 1].startswith(b"kind:")
    made = FILES[path].replace(b"# network_policy:", b"network_policy:")
    assert validate({**FILES, path: made}) == ()


def test_the_template_has_the_defaults() -> None:
    values = {path: read_file(path, FILES[path], model, None).value for path, model in SINGLE.items()}
    assert values["config.yaml"] == Config()
    assert values["adapters/kubernetes.yaml"] == KubernetesSettings()
    assert values["adapters/ansible.yaml"] == AnsibleSettings()


@pytest.mark.parametrize(("cpu", "price"), [("1", 2446), ("1.25", 2733)])
def test_the_price_in_the_template_comment_is_right(cpu: str, price: int) -> None:
    pricing = read_file("pricing.yaml", FILES["pricing.yaml"], SINGLE["pricing.yaml"], None).value
    assert isinstance(pricing, Pricing)
    whole = 1000 * Decimal(cpu) + 1024 * pricing.memory_mb + 1024 * pricing.storage_mb
    assert pricing.cpu_millicores == 1
    assert ceil_uve((1 + pricing.profit_margin) * whole) == price
    assert b"2,446uve a block" in FILES["pricing.yaml"]


@pytest.mark.parametrize("path", sorted(SINGLE))
def test_the_modeline_names_the_schema_of_the_kind(path: str) -> None:
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", FILES[path].decode())
    assert found
    folder, _, name = found[1].rpartition("/")
    assert (Path(path).parent / folder).resolve() == Path(".schemas").resolve()
    kind = SINGLE[path].model_fields["kind"].default
    assert f'"title": "{kind}"' in schemas()[name]


def test_the_example_workload_is_valid() -> None:
    shown = FILES["workloads/README.md"].decode().split("```yaml\n")[1].split("```")[0]
    content = shown.replace("ve1...", OWNER).encode()
    file = read_file("workloads/1000001-1-1-aaaaaaaaaa.yaml", content, WorkloadFile, None)
    assert file.value is not None, [fault.describe() for fault in file.faults]
