"""`make bench`: prints figures; the ratios are of one run on one machine."""

from __future__ import annotations

import sys

from tests.bench.api_load import bench_api
from tests.bench.cycles import bench_cycles
from tests.bench.figures import show
from tests.bench.files import bench_files
from tests.bench.hosts import bench_hosts
from tests.bench.node_requests import bench_node_requests
from tests.bench.orders import bench_many_orders, bench_one_order
from tests.bench.validating import bench_validating


def main() -> None:
    """All of them, or with `quick` the small ones."""
    sizes = (100, 1_000) if "quick" in sys.argv else (100, 1_000, 10_000)
    bench_validating(1_000, sizes[-1])
    bench_files(1_000)
    changed = [bench_cycles(leases) for leases in sizes]
    ratio = f"{changed[-1] / changed[0]:.1f} x"
    show(f"one file changed: {sizes[-1]} leases against {sizes[0]}", ratio)
    bench_one_order(sizes[-1])
    bench_many_orders(1_000)
    for leases in sizes:
        bench_node_requests(leases)
    bench_api(sizes[-1])
    bench_hosts()


if __name__ == "__main__":
    main()
