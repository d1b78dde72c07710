"""Tenants get the whole time for their manifests, counted from when they can deliver them."""

from __future__ import annotations

from reconciler.runtime.delivery_window import GAP_SECONDS, OWNERS_MAX, DeliveryWindow
from tests.makers import market


def test_the_time_begins_again_after_each_time_without_a_view() -> None:
    window, since = DeliveryWindow(), []
    views = [(5, 100), (6, 106), None, None, (50, 107), (51, 107 + GAP_SECONDS), (99, 108 + 2 * GAP_SECONDS)]
    for view in views:
        window.note_view(market(height=view[0], time=view[1]) if view else None)
        since.append(window.since)
    assert since == [5, 5, 5, 5, 50, 50, 99]


def test_a_failure_counts_from_the_next_view() -> None:
    window = DeliveryWindow()
    window.note_view(market(height=5))
    window.note_failure("a")
    window.note_view(market(height=6))
    before = window.failed_at
    window.note_view(market(height=7))
    assert window.failed_at is before
    assert (window.since, before) == (5, {"a": 6})
    for number in range(OWNERS_MAX):
        window.note_failure(str(number))
    window.note_view(market(height=8))
    assert (window.since, window.failed_at) == (8, {})
