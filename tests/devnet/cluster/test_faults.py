from __future__ import annotations

from reconciler.devnet.cluster.faults import ClusterFault, ClusterFaults


def test_a_fault_affects_the_named_requests() -> None:
    faults = ClusterFaults()
    fault = ClusterFault(status=403, verbs=frozenset({"list"}), plurals=frozenset({"pods"}))
    faults.add(fault)

    assert faults.strike("list", "pods", continued=False) == fault
    assert faults.strike("watch", "pods", continued=False) is None
    assert faults.strike("list", "nodes", continued=False) is None
    faults.clear()
    assert faults.strike("list", "pods", continued=False) is None


def test_a_fault_of_later_pages_does_not_affect_the_first() -> None:
    faults = ClusterFaults()
    faults.add(ClusterFault(continued=True))

    assert faults.strike("list", "pods", continued=False) is None
    assert faults.strike("list", "pods", continued=True) is not None


def test_a_fault_may_end_after_a_number_of_requests() -> None:
    faults = ClusterFaults()
    faults.add(ClusterFault(times=2))

    assert [faults.strike("get", "pods", continued=False) is not None for _ in "123"] == [True, True, False]
