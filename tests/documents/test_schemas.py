"""The published schemas: generated, committed, and of one mind with the models."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from reconciler.documents.document import Node
from reconciler.documents.files import read_file
from reconciler.documents.host_model import HostFile
from reconciler.documents.kinds import KINDS, FileKind
from reconciler.documents.model import API_VERSION, FIRST_VERSION
from reconciler.documents.schemas import ALL, HOST, schemas
from reconciler.documents.yaml_reader import read_yaml
from reconciler.documents.yaml_writer import write_yaml
from tests.documents.texts import OWNER

COMMITTED = Path(__file__).parents[2] / "schemas"
TEXTS = schemas()
VALIDATORS = {name: Draft202012Validator(json.loads(text)) for name, text in TEXTS.items()}

GOOD: dict[str, list[dict[str, Node]]] = {
    "Config": [
        {},
        {
            "provider": OWNER,
            "bidding": {
                "enabled": False,
                "break_even": "12h",
                "owners_allowed": [OWNER],
                "owners_denied": [],
            },
            "withdrawals": {"every": "40s", "min_gain": "10uve"},
            "usage": {"every": "40s", "min_gain": "0uve", "expiry_margin": "2h"},
            "publishing": {"quiet": "0s", "at_most": "1m"},
            "images_denied": ["docker.io/evil/*"],
            "capacity_reserve_percent": 10,
        },
        {"apiVersion": API_VERSION, "usage": {"every": "40s", "settle_before_expiry": "2h"}},
    ],
    "Pricing": [
        {
            "apiVersion": "provider.virtengine.dev/v1alpha1",
            "kind": "Pricing",
            "pricing": {
                "cpu_millicores": "1uve",
                "memory_mb": "0.1uve",
                "storage_mb": "0uve",
                "gpu": "5uve",
                "profit_margin": Decimal("0.15"),
                "rounding": "none",
            },
        },
    ],
    "KubernetesAdapter": [{}, {"enabled": False, "namespace": "apps"}],
    "AnsibleAdapter": [
        {"enabled": True},
        {
            "groups": [
                {
                    "name": "rack",
                    "user": "provider",
                    "sudo": True,
                    "engine": "docker",
                    "capacity": {"cpu": 8, "memory": "16Gi", "storage": "200Gi", "gpu": 1},
                    "attributes": ["region=eu"],
                    "hosts": [{"name": "one", "address": "192.0.2.1", "port": 2222, "attributes": ["a=b"]}],
                }
            ],
            "network": {"address": "192.0.2.9", "ports": {"lowest": 1024, "highest": 2048}},
            "storage": {"path": "/srv/workloads", "quota": True},
            "isolation": {"processes": 64, "read_only_images": ["docker.io/library/*"]},
            "concurrency": {"runs": 2, "forks": 20},
            "look_every": "5s",
            "timeouts": {"connect": "5s", "look": "1m", "apply": "5m", "stop": "5s", "stale": "2m"},
        },
    ],
    "Host": [
        {
            "repository": {"url": "https://forge.example/state.git", "branch": "main", "poll": "30s"},
            "provider": {"name": "provider", "backend": "test", "passphrase_file": "/x"},
            "chain": {
                "grpc": "127.0.0.1:9090",
                "rpc": "http://127.0.0.1:26657",
                "chain_id": "x",
                "tls": True,
            },
            "listen": {"api": "127.0.0.1:8443"},
            "limits": {
                "bids_per_cycle": 10,
                "spend_per_hour": "5uve",
                "price_change_percent": 50,
                "price_min": {"gpu": "1uve"},
                "gas_adjustment": Decimal("1.5"),
                "timeout_blocks": 5,
                "capacity": {"cpu": 2, "memory": "1Gi", "storage": 1},
            },
            "timing": {"poll_seconds": Decimal("0.5"), "cycle_at_most_seconds": 60},
        }
    ],
    "Workload": [
        {
            "lease": {"owner": OWNER, "dseq": 1, "gseq": 1, "oseq": 1},
            "adapter": "ansible",
            "paused": True,
            "close": "unstable, the disk fails",
            "services": [
                {
                    "name": "web",
                    "image": "nginx:1.27",
                    "command": ["sh"],
                    "args": [""],
                    "count": 2,
                    "env": [{"name": "A", "value": ""}, {"name": "B", "secret": "db/password"}],
                    "resources": {"cpu": 2, "memory": "1Gi", "storage": 1048576, "gpu": 1},
                    "expose": [{"port": 80, "as": 8080, "protocol": "UDP", "global": True}],
                }
            ],
        },
    ],
}

ODD: list[Node] = [
    None, True, False, 0, -1, 1, 3, 10**20, Decimal("0.5"), Decimal("3.0"), Decimal("-0.5"), Decimal(1000),
    "", "x", "1uve", "1uakt", "0.5", "24h", "0s", "500m", "512Mi", "TCP", "tcp",
    "kubernetes", "up", "Config", OWNER, [], ["x"], [None], {}, {"x": 1},
]  # fmt: skip


def is_accepted(kind: FileKind, document: dict[str, Node]) -> bool:
    """Whether our reader takes the document, as a file would bring it."""
    if kind is HOST:
        return host_is_accepted(write_yaml(document))
    path = workload_path(document.get("lease")) if kind.name == "Workload" else "file.yaml"
    return read_file(path, write_yaml(document), kind.model, None).value is not None


def host_is_accepted(content: bytes) -> bool:
    """By its model; what code finds besides, in addresses and crossed bounds, is no matter of schemas."""
    document = read_yaml("host.yaml", content)
    try:
        HostFile.model_validate(document.root)
    except ValidationError:
        return False
    return not document.empty_values()


def workload_path(lease: Any) -> str:
    """A name that fits the lease: the names of files are no matter of schemas."""
    numbers = [lease.get(key) for key in ("dseq", "gseq", "oseq")] if isinstance(lease, dict) else []
    shown = "-".join(f"{number:.0f}" for number in numbers if isinstance(number, int | Decimal))
    return f"workloads/{shown}-aaaaaaaaaa.yaml"


def is_valid(schema: str, document: dict[str, Node]) -> bool:
    plain = json.loads(json.dumps(document, default=float))
    return bool(VALIDATORS[schema].is_valid(plain))


def places(node: Node, steps: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [steps, *(place for step, value in inner for place in places(value, (*steps, step)))]


def changed(node: Any, steps: tuple[str | int, ...], value: Node) -> Any:
    if not steps:
        return value
    copy = node.copy()
    copy[steps[0]] = changed(node[steps[0]], steps[1:], value) if steps[0] in range_or_keys(node) else value
    return copy


def range_or_keys(node: Any) -> Any:
    return node if isinstance(node, dict) else range(len(node))


def without(node: Any, steps: tuple[str | int, ...]) -> Any:
    copy = node.copy()
    if len(steps) == 1:
        del copy[steps[0]]
    else:
        copy[steps[0]] = without(node[steps[0]], steps[1:])
    return copy


def test_the_committed_schemas_are_the_generated_ones() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()}
    assert on_disk == dict(TEXTS), "run make schemas"


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(TEXTS[name]))


def described(schema: Any, inside_properties: bool = False) -> list[Any]:
    if isinstance(schema, dict):
        schema = {key: value for key, value in schema.items() if key != "if"}
        here = [schema] if inside_properties and "description" not in schema else []
        return here + [
            bad
            for key, value in schema.items()
            for bad in (
                [b for v in value.values() for b in described(v, True)]
                if key == "properties" and isinstance(value, dict)
                else described(value)
            )
        ]
    return [bad for item in schema for bad in described(item)] if isinstance(schema, list) else []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_schema_is_self_contained_and_has_its_version(name: str) -> None:
    """A reference out of the file would be fetched by whoever checks with it."""
    assert set(re.findall(r'"\$ref": "(.)', TEXTS[name])) <= {"#"}
    stem = name.removesuffix(".json")
    assert json.loads(TEXTS[name])["$id"] == f"tag:provider.virtengine.dev,2026:v1beta1/{stem}"


@pytest.mark.parametrize(
    ("version", "key", "good"),
    [
        (None, "expiry_margin", True),
        (None, "settle_before_expiry", False),
        (FIRST_VERSION, "expiry_margin", True),
        (FIRST_VERSION, "settle_before_expiry", False),
        (API_VERSION, "expiry_margin", False),
        (API_VERSION, "settle_before_expiry", True),
        ("provider.virtengine.dev/v9", "expiry_margin", False),
        ("provider.virtengine.dev/v9", "settle_before_expiry", False),
    ],
)
def test_the_version_selects_the_schema(version: str | None, key: str, good: bool) -> None:
    document: dict[str, Node] = {"kind": "Config", "usage": {key: "2h"}}
    document |= {"apiVersion": version} if version else {}
    assert is_accepted(KINDS[0], document) is good
    assert is_valid("config.json", document) is good
    assert is_valid(ALL, document) is good


@pytest.mark.parametrize("kind", [*KINDS, HOST], ids=lambda kind: kind.name)
def test_each_key_is_described(kind: FileKind) -> None:
    assert described(json.loads(TEXTS[kind.schema])) == []


@pytest.mark.parametrize("kind", [*KINDS, HOST], ids=lambda kind: kind.name)
def test_good_documents_are_accepted_by_both(kind: FileKind) -> None:
    for document in GOOD[kind.name]:
        assert is_accepted(kind, document)
        assert is_valid(kind.schema, document)
        assert kind is HOST or is_valid(ALL, document | {"kind": kind.name})


@pytest.mark.parametrize("kind", [*KINDS, HOST], ids=lambda kind: kind.name)
def test_models_and_schemas_agree_on_every_single_change(kind: FileKind) -> None:
    """Each value of the good documents replaced by each odd one, removed, or joined by an unknown key."""
    refused = 0
    for good in GOOD[kind.name]:
        variants = [changed(good, place, odd) for place in places(good)[1:] for odd in ODD]
        variants += [without(good, place) for place in places(good)[1:]]
        variants += [changed(good, (key,), odd) for key in ("zzz", "kind", "apiVersion") for odd in ODD]
        for document in variants:
            accepted = is_accepted(kind, document)
            assert is_valid(kind.schema, document) == accepted, document
            refused += not accepted
    assert refused > 50


@settings(max_examples=150, deadline=None)  # other processes share the machine
@given(st.data())
def test_models_and_schemas_agree_on_several_changes(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    document: Any = data.draw(st.sampled_from(GOOD[kind.name]))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = places(document)[1:]
        if spots:
            place = data.draw(st.sampled_from(spots))
            value = data.draw(st.sampled_from(ODD) | st.text(max_size=5) | st.integers(-3, 3))
            document = changed(document, place, value)
    assert is_valid(kind.schema, document) == is_accepted(kind, document), document


def test_rules_that_no_schema_can_express() -> None:
    """The whole list of what only `validate` finds within one file; a schema that learns it shortens this."""
    prices: Any = GOOD["Pricing"][0]
    workload: Any = GOOD["Workload"][0]
    fine_margin = changed(prices, ("pricing", "profit_margin"), Decimal("0.1234567"))
    twice = workload | {"services": workload["services"] * 2}
    # Only of Python's library: its patterns' $ matches before a line end too.
    line_end: dict[str, Node] = {"namespace": "apps\n"}
    for kind, document in (
        (KINDS[1], fine_margin),
        (KINDS[4], twice),
        (KINDS[2], line_end),
    ):
        assert is_valid(kind.schema, document)
        assert not is_accepted(kind, document)


def test_no_kind_is_refused_by_the_schema_of_all() -> None:
    assert not is_valid(ALL, {})
    assert not is_valid(ALL, {"kind": "Nothing"})


def test_pydantic_itself_is_strict() -> None:
    with pytest.raises(ValidationError):
        KINDS[0].model.model_validate({"bidding": {"enabled": 1}})
