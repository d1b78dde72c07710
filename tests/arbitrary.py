"""Strategies for values whose text has a form: with them hypothesis can draw any value that we keep."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.values.ids import LeaseId, OrderId

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
OWNERS = st.text(alphabet="abcdefghjkmnpqrstuvwxyz0123456789", min_size=1, max_size=44)
COUNTS = st.integers(min_value=0, max_value=2**64 - 1)
ORDERS = st.builds(OrderId, OWNERS, COUNTS, COUNTS, COUNTS)


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    st.register_type_strategy(Decimal, NUMBERS)
    st.register_type_strategy(OrderId, ORDERS)
    st.register_type_strategy(LeaseId, st.builds(LeaseId, ORDERS, OWNERS))
    return st.from_type(kind)
