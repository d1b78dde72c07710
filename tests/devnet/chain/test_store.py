from __future__ import annotations

import pytest

from reconciler.devnet.chain.gas import GasMeter
from reconciler.devnet.chain.store import TABLES, Branch, StateStore, StateTable

NUMBERS = StateTable[int]("test/numbers", lambda value: str(value).encode(), int)
del TABLES["test/numbers"]  # a table of this test alone is no part of a chain


def block(store: StateStore, **rows: int | None) -> None:
    for key, value in rows.items():
        store.write(NUMBERS, key.encode(), value)
    store.commit()


def test_every_height_keeps_its_own_state() -> None:
    store = StateStore(history=10)
    block(store, a=1, b=2)
    block(store, a=3, b=None)
    block(store, c=4)

    assert list(store.at(1).scan(NUMBERS)) == [(b"a", 1), (b"b", 2)]
    assert list(store.at(2).scan(NUMBERS)) == [(b"a", 3)]
    assert list(store.at(3).scan(NUMBERS)) == [(b"a", 3), (b"c", 4)]
    assert store.at(1).get(NUMBERS, b"c") is None
    assert list(store.at(0).scan(NUMBERS)) == []


def test_old_versions_are_dropped_and_current_rows_kept() -> None:
    store = StateStore(history=2)
    block(store, kept=1, changed=1, gone=1)
    block(store, changed=2, gone=None)
    for _ in range(5):
        block(store)

    assert store.oldest == 5
    assert list(store.at(store.oldest).scan(NUMBERS)) == [(b"changed", 2), (b"kept", 1)]
    assert set(store.rows(NUMBERS).versions) == {b"changed", b"kept"}


def test_a_scan_ends_with_its_prefix() -> None:
    store = StateStore(history=1)
    for key in (b"\x01", b"\x01\xff", b"\x01\xff\xff\x07", b"\x02", b"\xff\xff"):
        store.write(NUMBERS, key, 1)
    store.commit()

    assert [key for key, _ in store.at(1).scan(NUMBERS, b"\x01\xff")] == [b"\x01\xff", b"\x01\xff\xff\x07"]
    assert [key for key, _ in store.at(1).scan(NUMBERS, b"\xff")] == [b"\xff\xff"]


def test_writes_of_a_branch_are_invisible_until_flushed() -> None:
    store = StateStore(history=1)
    block(store, a=1, b=2)
    branch = Branch(store.tip())
    branch.put(NUMBERS, b"c", 3)
    branch.delete(NUMBERS, b"a")

    assert list(branch.scan(NUMBERS)) == [(b"b", 2), (b"c", 3)]
    assert list(store.tip().scan(NUMBERS)) == [(b"a", 1), (b"b", 2)]
    branch.flush(store.write)
    store.commit()
    assert list(store.at(2).scan(NUMBERS)) == [(b"b", 2), (b"c", 3)]


def test_a_nested_branch_charges_a_read_once() -> None:
    store = StateStore(history=1)
    block(store, a=12345)
    meter = GasMeter()
    inner = Branch(Branch(store.tip(), meter), meter)

    assert inner.get(NUMBERS, b"a") == 12345
    assert meter.used == 1000 + 3 * 6


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_iteration_charges_the_first_row_twice(count: int) -> None:
    branch = Branch(StateStore(history=1).tip())
    for number in range(count):
        branch.put_free(NUMBERS, bytes([number]), 7)
    branch.walk(NUMBERS, b"")

    assert branch.meter.used == 30 * (count + 1) + (3 * 2 * (count + 1) if count else 0)
