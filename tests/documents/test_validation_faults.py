"""Messages, advice and positions of invalid keys and values."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from reconciler.documents.adapter_models import AnsibleFile
from reconciler.documents.config_model import ConfigFile
from reconciler.documents.model import FileModel
from reconciler.documents.pricing_model import PricingFile
from reconciler.documents.validation_faults import FAULTS_MAX, validation_faults
from reconciler.documents.workload_model import WorkloadFile
from reconciler.documents.yaml_reader import read_yaml
from tests.documents.texts import OWNER

PRICES = "pricing: {{cpu_millicores: {}, memory_mb: 1uve, storage_mb: 1uve, gpu: 1uve, profit_margin: {}}}\n"
WORKLOAD = f"lease: {{owner: {OWNER}, dseq: 1, gseq: 1, oseq: 1}}\nservices:\n- name: web\n  image: x\n"


def fault_lines(model: type[FileModel], text: str) -> list[str]:
    document = read_yaml("f.yaml", text.encode())
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document.root)
    return [
        fault.describe().removeprefix("f.yaml:") for fault in validation_faults(document, model, caught.value)
    ]


@pytest.mark.parametrize(
    ("cpu", "message"),
    [
        ("1uakt", '"1uakt" is in uakt (only uve is accepted, convert to uve)'),
        ("1", "1 has no denomination (write 1uve)"),
        ("0.5", "0.5 has no denomination (write 0.5uve)"),
        ('"1"', '"1" has no denomination (write 1uve)'),
        ("-1uve", '"-1uve" is negative (write a positive number)'),
        ("-1", "-1 is negative (write a positive number and uve)"),
        ("1e-6uve", '"1e-6uve" has an exponent (write 0.000001uve)'),
        (
            "1" * 30 + "uve",
            f'"{"1" * 30}uve" has too many digits (at most 12 whole digits and 18 after the point)',
        ),
        (
            "0." + "1" * 30 + "uve",
            f'"0.{"1" * 30}uve" has too many digits (at most 12 whole digits and 18 after the point)',
        ),
        (
            "true",
            (
                'true is not a unit price (write a decimal number and uve: "0.5uve", or the currency of a '
                'rate: "0.05 usd")'
            ),
        ),
    ],
)
def test_prices(cpu: str, message: str) -> None:
    assert fault_lines(PricingFile, PRICES.format(cpu, 0.15)) == [f"1:27: pricing.cpu_millicores: {message}"]


def test_a_margin_is_a_fraction() -> None:
    (message,) = fault_lines(PricingFile, PRICES.format("1uve", "15%"))
    assert message == '1:94: pricing.profit_margin: "15%" is in percent (write 0.15)'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "apiVersion: provider.virtengine.dev/v2\n",
            (
                '1:13: apiVersion: "provider.virtengine.dev/v2" is not a supported version '
                "(write provider.virtengine.dev/v1beta1)"
            ),
        ),
        ("kind: Pricing\n", '1:7: kind: "Pricing" is not supported (write Config)'),
        ("biding: {}\n", "1:1: biding: unknown key biding (did you mean bidding?)"),
        (
            "usage: {zzz: 1}\n",
            (
                "1:9: usage.zzz: unknown key zzz "
                "(known keys: every, min_gain, settle_before_expiry, unfunded_grace, meter)"
            ),
        ),
        (
            "bidding: {enabled: 'true'}\n",
            '1:20: bidding.enabled: "true" is not true or false (remove the quotes: true)',
        ),
        (
            "bidding: {break_even: 24}\n",
            '1:23: bidding.break_even: 24 is not a duration (write a number and s, m, h or d: "24h")',
        ),
        (
            "bidding:\n  owners_denied:\n    - bob\n",
            (
                '3:7: bidding.owners_denied.0: "bob" is not an address '
                "(copy the whole address, which starts with ve1)"
            ),
        ),
        (
            "images_denied: evil\n",
            '1:16: images_denied: "evil" is not a list (write it in brackets: ["evil"])',
        ),
        (
            "usage: []\n",
            ("1:8: usage: a list is not a mapping (keys with values) (write its keys below it, indented)"),
        ),
        ("capacity_reserve_percent: 101\n", "1:27: capacity_reserve_percent: 101 is too large (at most 100)"),
        (
            "capacity_reserve_percent: '5'\n",
            ('1:27: capacity_reserve_percent: "5" is not a whole number (remove the quotes: 5)'),
        ),
        (
            "withdrawals: {min_gain: 1.5uve}\n",
            '1:25: withdrawals.min_gain: "1.5uve" is not an amount (write a whole number and uve: "2500uve")',
        ),
    ],
)
def test_config(text: str, message: str) -> None:
    assert fault_lines(ConfigFile, text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "  resources: {cpu: 500m}\n",
            (
                "5:3: services.0.resources: the key memory is missing "
                '(add it: Memory in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "512Mi".)'
            ),
        ),
        (
            "  resources: {cpu: 500m, memory: 512MB}\n",
            (
                '5:34: services.0.resources.memory: "512MB" does not have one of the units Ki, Mi, Gi and Ti '
                "(write 512Mi)"
            ),
        ),
        (
            "  resources: {cpu: 1, memory: 1Gi}\n  env: [{name: A}]\n",
            (
                "6:9: services.0.env.0: give either a value, a secret or a sealed value (write value: "
                'TEXT for a public value, secret: "name/key" for a confidential one)'
            ),
        ),
        (
            "  resources: {cpu: 1, memory: 1Gi}\n  env: [{name: A, value: 8080}]\n",
            '6:26: services.0.env.0.value: 8080 is not a string (put it in quotes: "8080")',
        ),
        (
            "  resources: {cpu: 1, memory: 1Gi}\n  expose: [{port: 0}]\n",
            "6:19: services.0.expose.0.port: 0 is too small (at least 1)",
        ),
        (
            "  resources: {cpu: 1, memory: 1Gi}\nclose: done with it\n",
            (
                '6:8: close: "done with it" is not a reason to close '
                '(write unstable, decommission, unspecified or manifest_timeout, then optionally ", " '
                "and an explanation)"
            ),
        ),
    ],
)
def test_workloads(text: str, message: str) -> None:
    assert fault_lines(WorkloadFile, WORKLOAD + text) == [message]


def test_the_number_of_faults_is_limited() -> None:
    lines = fault_lines(ConfigFile, "".join(f"k{number:02}: 1\n" for number in range(FAULTS_MAX + 5)))
    assert len(lines) == FAULTS_MAX + 1
    assert lines[-1].endswith("and 5 more faults in this file (fix these first)")


def test_a_duplicate_name_is_reported_at_its_second_position() -> None:
    text = (
        WORKLOAD
        + "  resources: {cpu: 1, memory: 1Gi}\n- {name: web, image: z, resources: {cpu: 1, memory: 1Gi}}\n"
    )
    assert fault_lines(WorkloadFile, text) == [
        "6:10: services.1.name: duplicate service web (give each a unique name)"
    ]
    hosts = "groups:\n- name: a\n  hosts: [{name: b, address: x}, {name: c, address: x}]\n- name: d\n"
    again = "  hosts: [{name: c, address: x}]\n"
    assert fault_lines(AnsibleFile, hosts + again) == [
        "5:18: groups.1.hosts.0.name: duplicate name c (give each a unique name)"
    ]


def test_a_gpu_table_is_bounded_as_each_pair_of_entries_is_compared() -> None:
    entries = ", ".join(f"{{vendor: v{n}, price: 1uve}}" for n in range(51))
    text = PRICES.format("1uve", 0.15).replace("}", f", gpu_models: [{entries}]}}", 1)
    (message,) = fault_lines(PricingFile, text)
    assert "pricing.gpu_models: " in message
    assert "50" in message
