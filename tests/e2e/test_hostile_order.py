"""An order whose texts are as long and as hostile as the chain takes them, beside one that is worth a bid."""

from __future__ import annotations

import threading
import time
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.cli.logs import LINE_MAX
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.trading import OrderRequest, Trader, TransactionClient
from tests.e2e.processes import RunningCommand, daemon, devnet

US = key_of(PROVIDER).address
READ_BYTES, REFUSED_BYTES = 60_000, 1_000_000
"""An order that a view still reads, and one that it leaves out; the simulated chain takes transactions of
1 MiB, as a node does.
"""
NASTY = "\x1b]0;title\x07\x1b[2J\r\n<0>kernel: all is lost\u202e"
ANSWER_SECONDS = 10.0


class Health:
    """Asks `/healthz` again and again, in a thread of its own."""

    def __init__(self, api: str) -> None:
        self._url = f"{api}/healthz"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seconds: list[float] = []

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(2 * ANSWER_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            began = time.monotonic()
            with self._open(self._url, timeout=6 * ANSWER_SECONDS) as answer:
                assert answer.status == 200
            self.seconds.append(time.monotonic() - began)


@pytest.mark.parametrize("stream", ["", "8:1"], ids=["stderr", "journal"])
def test_the_daemon_answers_bids_and_logs_short_lines(
    stream: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", stream)
    home = tmp_path / "world"
    with devnet(home, "--block-seconds", "0.25") as facts:
        node = GrpcNode(facts["grpc"])
        tenant = Trader(TransactionClient(node), key_of("alice"))
        health = Health(facts["api"])
        try:
            with daemon(home / "host.yaml") as process:
                _wait_for_a_bid(tenant, process)
                health.start()
                for size in (READ_BYTES, REFUSED_BYTES):
                    for text in ("a-" * (size // 2), NASTY * (size // len(NASTY.encode()))):
                        tenant.order(
                            OrderRequest(Decimal(5_000), attributes=(("region", text), ("zone", NASTY)))
                        )
                _wait_for_a_bid(tenant, process)
                health.close()
        finally:
            node.close()
    err = process.stderr
    lines = err.splitlines()
    assert sum("AttributesMissing" in line for line in lines) == 2, err[:5_000]
    assert sum("held: orders: Ceiling" in line for line in lines) == 1, err[:5_000]
    assert max(map(len, lines)) < LINE_MAX + 200
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith("<0>")]
    assert len(health.seconds) > 3
    assert max(health.seconds) < ANSWER_SECONDS


def _wait_for_a_bid(tenant: Trader, process: RunningCommand) -> None:
    """Post an order that fits, and wait for the provider's bid on it."""
    order, *_ = tenant.order(OrderRequest(Decimal(5_000)))
    process.wait_until(
        lambda: US in [offer.id.provider for offer in tenant.trade(order.dseq).offers], "a bid on the order"
    )
