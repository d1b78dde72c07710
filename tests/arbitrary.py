"""Strategies for values whose text has a form: with them hypothesis can draw any value that we keep."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.subjects import CHAIN, PROVIDER, REPOSITORY, EffectKey, Subject

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
OWNERS = st.text(alphabet="abcdefghjkmnpqrstuvwxyz0123456789", min_size=1, max_size=44)
COUNTS = st.integers(min_value=0, max_value=2**64 - 1)
ORDERS = st.builds(OrderId, OWNERS, COUNTS, COUNTS, COUNTS)
LEASES = st.builds(LeaseId, ORDERS, OWNERS)
SUBJECTS = st.one_of(
    st.sampled_from([PROVIDER, CHAIN, REPOSITORY, Subject.of_adapter("kubernetes")]),
    st.builds(Subject.of_order, ORDERS),
    st.builds(Subject.of_lease, LEASES),
    st.builds(Subject.of_workload, LEASES),
    st.builds(Subject.of_file, OWNERS.map("workloads/{}.yaml".format)),
)
EFFECT_KEYS = st.builds(
    EffectKey, st.sampled_from(["ApplyWorkload", "CreateBid"]), SUBJECTS, st.sampled_from(["", "low"])
)


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    st.register_type_strategy(Decimal, NUMBERS)
    st.register_type_strategy(OrderId, ORDERS)
    st.register_type_strategy(LeaseId, LEASES)
    st.register_type_strategy(Subject, SUBJECTS)
    st.register_type_strategy(EffectKey, EFFECT_KEYS)
    return st.from_type(kind)
