from __future__ import annotations

import re

import pytest

from reconciler.values.ids import LeaseId, OrderId, workload_id

ORDER = OrderId("ve1alice", 1_000_001, 1, 1)
LEASE = LeaseId(ORDER, "ve1us")


def test_ids_read_as_they_are_written() -> None:
    assert OrderId.parse(str(ORDER)) == ORDER
    assert LeaseId.parse(str(LEASE)) == LEASE
    assert str(LEASE) == "ve1alice/1000001/1/1/ve1us"


@pytest.mark.parametrize(
    "text", ["", "ve1alice", "ve1alice/1/1", "/1/1/1", "ve1alice/1/1/x", "ve1alice/1/1/-1", "a/1/1/1/p/q"]
)
def test_an_invalid_order_is_reported(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is not owner/dseq/gseq/oseq")):
        OrderId.parse(text)


def test_an_invalid_lease_is_reported() -> None:
    with pytest.raises(ValueError, match="is not owner/dseq/gseq/oseq"):
        LeaseId.parse("ve1alice/1/1/1")


def test_a_workloads_id_is_derived_from_the_whole_lease() -> None:
    """Another owner or provider with the same numbers has another one; it never changes."""
    assert workload_id(LEASE) == "1000001-1-1-" + workload_id(LEASE)[-10:]
    assert workload_id(LeaseId(OrderId("ve1alice", 1, 1, 1), "ve1us")) == "1-1-1-o4aheqaov7"
    others = [LeaseId(OrderId("ve1bob", 1_000_001, 1, 1), "ve1us"), LeaseId(ORDER, "ve1them")]
    assert len({workload_id(each) for each in (LEASE, *others)}) == 3


def test_a_workloads_id_is_a_label_and_a_part_of_a_host_name() -> None:
    longest = workload_id(LeaseId(OrderId("ve1" + "q" * 38, 2**64 - 1, 2**32 - 1, 2**32 - 1), "ve1us"))
    assert len(longest) <= 63
    assert re.fullmatch(r"[a-z0-9-]+", longest)


def test_payments_are_paid_in_the_order_of_their_text() -> None:
    """2/... comes after 10/... (semantics 4.2)."""
    tenth, second = (LeaseId(OrderId("ve1alice", 1, number, 1), "ve1us") for number in (10, 2))
    assert sorted([second, tenth], key=lambda lease: lease.payment_xid) == [tenth, second]


def test_the_parts_of_a_deployment() -> None:
    assert (str(LEASE.deployment), str(ORDER.group)) == ("ve1alice/1000001", "ve1alice/1000001/1")
    assert hash(LEASE) == hash(LeaseId(OrderId("ve1alice", 1_000_001, 1, 1), "ve1us"))


@pytest.mark.parametrize("numbers", [(1, 1, 1), (2**63, 1, 1), (2**64 - 1, 2**32 - 1, 2**32 - 1)])
def test_every_order_of_the_chain_can_be_named(numbers: tuple[int, int, int]) -> None:
    assert OrderId("ve1alice", *numbers).is_nameable


@pytest.mark.parametrize(
    "order",
    [
        OrderId("ve1alice", 0, 1, 1),
        OrderId("ve1alice", 2**64, 1, 1),
        OrderId("ve1alice", 1, 0, 1),
        OrderId("ve1alice", 1, 2**32, 1),
        OrderId("ve1alice", 1, 1, 2**32),
        OrderId("", 1, 1, 1),
        OrderId("../alice", 1, 1, 1),
        OrderId("ve1\nalice", 1, 1, 1),
    ],
)
def test_what_no_file_or_url_can_name_is_not_nameable(order: OrderId) -> None:
    assert not order.is_nameable
