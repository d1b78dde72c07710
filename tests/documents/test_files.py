"""One file by itself: its value, or why there is none."""

from decimal import Decimal

import pytest

from reconciler.documents.files import ReadFile, read_file
from reconciler.documents.kinds import model_at
from reconciler.values.desired import CloseReason, Config, Env, Port, Pricing, Workload
from reconciler.values.resources import Resources
from tests.documents.texts import OWNER, PRICING, PROVIDER, SHEET_PRICING, lease, workload, workload_path


def read(path: str, content: bytes, provider: str | None = PROVIDER) -> ReadFile:
    model = model_at(path)
    assert model is not None
    return read_file(path, content, model, provider)


def told(path: str, content: bytes, provider: str | None = PROVIDER) -> list[str]:
    file = read(path, content, provider)
    assert file.value is None
    return [fault.describe() for fault in file.faults]


def test_prices_are_exact() -> None:
    value = read("pricing.yaml", PRICING).value
    assert value == Pricing(Decimal(1), Decimal(1), Decimal("0.1"), Decimal(20_000), Decimal("0.15"))


def test_the_cheat_sheet_prices_are_valid_with_a_warning() -> None:
    file = read("pricing.yaml", SHEET_PRICING)
    assert isinstance(file.value, Pricing)
    assert file.value.cpu_millicores == Decimal("0.000001")
    assert file.value.profit_margin == Decimal("0.15")
    (fault,) = file.faults
    assert fault.warning
    assert "everything costs 1uve per block" in fault.message


def test_an_empty_config_has_the_defaults() -> None:
    assert read("config.yaml", b"kind: Config\n").value == Config()


def test_a_workload_file_with_the_name_of_its_lease() -> None:
    more = "paused: true\nclose: decommission, the rack moves"
    value = read(workload_path(7), workload(7, more)).value
    assert isinstance(value, Workload)
    assert value.lease == lease(7)
    assert f"workloads/{value.id}.yaml" == value.path == workload_path(7)
    assert (value.paused, value.close, value.close_words) == (
        True,
        CloseReason.DECOMMISSION,
        "the rack moves",
    )
    assert value.resources == Resources(cpu_milli=500, memory_bytes=512 << 20)


@pytest.mark.parametrize("dseq", [1, 2**53 + 1, 2**63, 2**64 - 1])
def test_every_valid_dseq_is_accepted(dseq: int) -> None:
    value = read(workload_path(dseq), workload(dseq)).value
    assert isinstance(value, Workload)
    assert value.lease == lease(dseq)
    assert read(workload_path(dseq), workload(dseq), provider=None).value is not None


@pytest.mark.parametrize("dseq", [0, 2**64])
def test_an_invalid_dseq_is_refused(dseq: int) -> None:
    assert read(workload_path(dseq), workload(dseq)).value is None


def test_all_keys_of_a_service() -> None:
    text = f"""\
lease: {{owner: {OWNER}, dseq: 7, gseq: 1, oseq: 1}}
services:
  - name: db
    image: postgres:16
    command: [postgres]
    args: ["-c", "fsync=on"]
    count: 2
    env: [{{name: A, value: "1"}}, {{name: B, secret: db/password}}]
    resources: {{cpu: 2, memory: 1Gi, storage: 10Gi, gpu: 1}}
    expose: [{{port: 5432}}, {{port: 80, as: 8080, protocol: UDP, global: true}}]
"""
    value = read(workload_path(7), text.encode()).value
    assert isinstance(value, Workload)
    (service,) = value.services
    assert service.resources == Resources(2000, 1 << 30, 10 << 30, 1)
    assert service.env == (Env("A", "1"), Env("B", None, "db/password"))
    assert service.ports == (Port(5432), Port(80, 8080, "UDP", True))
    assert (service.command, service.args, service.count) == (("postgres",), ("-c", "fsync=on"), 2)


def test_a_misnamed_file_is_reported_with_the_right_name() -> None:
    name = workload_path(7).removeprefix("workloads/")
    (message,) = told("workloads/8-1-1-abcdefghij.yaml", workload(7))
    assert message == (
        f"workloads/8-1-1-abcdefghij.yaml:2:1: lease: the file of this lease must be named {name} "
        "(change the lease to 8/1/1 if the file is a copy, or rename it)"
    )


def test_without_an_address_the_numbers_of_the_name_are_checked() -> None:
    assert read("workloads/7-1-1-abcdefghij.yaml", workload(7), provider=None).value is not None
    (message,) = told("workloads/8-1-1-abcdefghij.yaml", workload(7), provider=None)
    assert "the file of this lease must be named 7-1-1-<10 characters>.yaml" in message


def test_a_repository_of_another_provider_is_refused() -> None:
    (message,) = told("config.yaml", f"provider: {OWNER}\n".encode())
    assert message.startswith(f"config.yaml:1:11: provider: this repository is for {OWNER}, but our key")


def test_a_file_must_be_a_mapping() -> None:
    assert told("config.yaml", b"") == [
        "config.yaml:1:1: the file is empty (write its keys or remove the file)"
    ]
    (message,) = told("config.yaml", b"- a")
    assert message == (
        "config.yaml:1:1: expected a mapping (keys with values), found a list "
        "(start it with its keys, such as kind:)"
    )


def test_an_empty_value_is_a_fault() -> None:
    assert told("config.yaml", b"usage:\nbidding: {enabled: true}\n") == [
        "config.yaml:1:1: usage: this key has no value (give it a value or remove the key)"
    ]


def warned(price: str, rounding: str = "up") -> list[str]:
    every = "".join(
        f"  {name}: {price}uve\n" for name in ("cpu_millicores", "memory_mb", "storage_mb", "gpu")
    )
    content = f"\npricing:\n{every}  profit_margin: 0.15\n  rounding: {rounding}\n"
    return [fault.describe() for fault in read("pricing.yaml", content.encode()).faults]


def test_prices_that_differ_by_workload_have_no_warning() -> None:
    assert warned("0.1") == []


def test_equal_rounded_prices_have_a_warning() -> None:
    (message,) = warned("0.0000001")
    assert message == (
        "pricing.yaml:2:1: warning: pricing: at these prices everything costs 1uve per block, up to 64 cores "
        "with 256 GiB (bids are rounded up to whole uve; raise the prices)"
    )
    assert warned("0.0000001", "none") == []


def test_zero_prices_have_a_warning() -> None:
    (message,) = warned("0")
    assert "everything is free; the chain rejects a bid of 0uve" in message
