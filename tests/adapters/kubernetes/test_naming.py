from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kubernetes.naming import labels, object_name, public_name, workload_selector
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id

ID = WorkloadId("1000001-1-1-abcdefghij")
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
NUMBERS = st.integers(1, 2**64 - 1)


def test_a_name_consists_of_service_and_workload() -> None:
    assert object_name(ID, "web") == "web-1000001-1-1-abcdefghij"


@given(NAMES, NUMBERS, st.integers(1, 2**32 - 1))
def test_every_name_is_a_dns_label_that_starts_with_a_letter(service: str, dseq: int, gseq: int) -> None:
    subject = workload_id(LeaseId(OrderId("virtengine1tenant", dseq, gseq, gseq), "virtengine1provider"))

    name, public = object_name(subject, service), public_name(subject, service)

    for each in (name, public):
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", each)
        assert len(each) <= 63
    assert name.endswith(subject)
    assert public.endswith(f"{subject}-np")


def test_long_names_with_a_common_prefix_differ() -> None:
    for named in (object_name, public_name):
        first, second = (named(ID, "a" * 50 + end) for end in "xy")
        assert first != second


def test_a_selector_includes_our_label() -> None:
    wanted = labels(ID, "web")

    assert workload_selector(ID) == ",".join(
        f"{k}={wanted[k]}" for k in ("app.kubernetes.io/managed-by", "virtengine.com/workload")
    )
    assert all(len(value) <= 63 for value in wanted.values())
