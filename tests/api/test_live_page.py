"""The page in a real browser: what it shows, by keyboard, on a phone, dark and light, and cut off from us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.api.auth.tls import RemoteAccess
from reconciler.api.startup import Started
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CommitView, ReadingView
from tests.api.auth.test_tls import TOKEN, tokens_of
from tests.api.browser import Browser, browser
from tests.api.certificates import DAY, Authority
from tests.api.fake_sources import serve
from tests.api.snapshots import FAILING, FULL, HEALTHY, NOON, after, cycle_at, lease, workload_of

pytestmark = pytest.mark.live

EVIL = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"
GOOD = replace(
    FULL,
    readings=(ReadingView("chain", NOON), ReadingView("repository", NOON)),
    cycle=cycle_at(0),
    workloads=(HEALTHY,),
    holds=(),
    desired="a" * 40,
    desired_commit=CommitView("a" * 40, after(-600), "Raise prices", "operator"),
    published_commit=CommitView("b" * 40, after(-60), "Workload x: Deploying -> Running"),
)


def later(n: int, snapshot: Snapshot = GOOD) -> Snapshot:
    """A later cycle, with more money."""
    wallet = replace(FULL.wallet, balance_uve=9_000_000 + n * n * 40_000, earned_uve=120_000 + n * 7_000)
    return replace(snapshot, height=91 + n, wallet=wallet, cycle=cycle_at(n))


@pytest.fixture
def started(snapshots: SnapshotStore) -> Iterator[Started]:
    snapshots.publish(GOOD)
    for n in range(40):
        snapshots.publish(later(n))
    running = serve(snapshots, now=lambda: NOON + 40)
    yield running
    running.stop()


@pytest.fixture
def page(started: Started, tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as window:
        window.size(1280, 900)
        window.go(f"http://{started.ports.api}/")
        window.until(lambda: window.text("#height") == "130")
        yield window
        assert window.console_messages() == [], "messages in the console"


def test_the_page_shows_a_healthy_provider_and_updates(page: Browser, snapshots: SnapshotStore) -> None:
    assert page.text("h1") == "one"
    assert page.text("#summary") == "No issues"
    assert page.run("return document.title") == "one"
    assert "2" in page.text("#figures div:first-child dd")
    assert page.text("#rows tr td:nth-child(2)").startswith(HEALTHY.id)
    assert "Raise prices" in page.text("#desired")
    assert "in force" in page.text("#desired")
    assert "Deploying -> Running" in page.text("#published")
    assert page.run("return document.querySelectorAll('.chart path.line').length") == 2
    assert (
        page.run("return document.querySelector('.chart path.line').getAttribute('d').split('L').length") > 30
    )
    snapshots.publish(later(41))
    page.until(lambda: page.text("#height") == "132")
    snapshots.publish(later(42, replace(GOOD, workloads=())))
    page.until(lambda: page.text("#rows") == "")
    assert page.text("#rows-note") == "There are no workloads yet."


def test_the_ledger_is_summed_by_tenant_lease_or_day(page: Browser) -> None:
    page.until(lambda: page.text("#ledger-rows tr:last-child") != "")
    words = "(row) => row.innerText.split(/\\s+/).join(' ')"
    rows = f"return [...document.querySelectorAll('#ledger-rows tr')].map({words})"
    assert page.run(rows) == ["ve1tenant 700 0 0 700", "of no lease 0 0 -30 -30", "total 700 0 -30 670"]
    assert page.text("#ledger-note") == "Balance 1,670 = 1,000 at the beginning + 670 earned (uve)."
    page.run("document.querySelector('#ledger-keys [data-by=lease]').click()")
    page.until(lambda: page.text("#ledger-key") == "Lease")
    page.until(lambda: page.text("#ledger-rows tr:first-child th").startswith("ve1tenant/"))


def test_problems_come_first(page: Browser, snapshots: SnapshotStore) -> None:
    ending = TimeLeft(Funding.CRITICAL, 40, 200)
    failing = replace(
        FAILING, trouble=Trouble("ImagePullFailed", "no such image", "correct the image's name")
    )
    snapshots.publish(
        later(
            50,
            replace(
                GOOD,
                workloads=(HEALTHY, failing),
                leases=(FULL.leases[0], replace(FULL.leases[1], funding=ending)),
                holds=FULL.holds,
                readings=(ReadingView("chain", after(-900), "the node is down"),),
            ),
        )
    )
    page.until(lambda: page.run("return document.querySelector('#summary').dataset.level") == "bad")
    assert page.text("#summary") == "3 issues; first: chain is unseen: the node is down"
    assert page.run("return document.title") == "(3) one"
    assert page.run("return document.querySelector('#icon').href").endswith("icon-bad.svg")
    assert (
        page.text("#issue-list li:nth-child(2)") == f"{FAILING.id}: no such image; correct the image's name"
    )
    assert page.text("#rows tr:first-child td:first-child") == "failed"
    assert page.text("#rows tr:first-child .left") == "3 min 20 s"
    assert page.text("#chain-age").startswith("15 min")
    assert "PriceTooLow" in page.text("#hold-groups")


def test_foreign_text_is_not_html(page: Browser, snapshots: SnapshotStore) -> None:
    evil = replace(HEALTHY, state="failed", trouble=Trouble(EVIL, EVIL, EVIL))
    snapshots.publish(
        later(51, replace(GOOD, workloads=(evil,), desired_commit=CommitView("c" * 40, after(1), EVIL, EVIL)))
    )
    page.until(lambda: EVIL in page.text("#rows"))
    assert EVIL in page.text("#desired")
    assert page.run("return document.querySelectorAll('img, #rows b').length") == 0
    assert page.run("return document.title") == "(1) one"


def test_the_page_works_with_the_keyboard(page: Browser) -> None:
    focus = "return document.activeElement.textContent.trim() || document.activeElement.id"
    for _ in range(25):
        if page.run(focus) == HEALTHY.id:
            break
        page.press("Tab")
    assert page.run(focus) == HEALTHY.id
    page.press("Enter")
    page.until(lambda: "web: " in page.text("#log"))
    assert page.run("return document.querySelector('#detail').open")
    assert page.run("return location.hash") == f"#{HEALTHY.id}"
    chain = page.text("#explanation")
    assert all(step in chain for step in ("order", "bid", "lease", "workload", "adapter", "outcome"))
    assert "42 millicores, 3.0 MiB of memory, measured at" in page.text("#usage")
    assert "BackOff" in page.text("#events")
    page.press("Escape")
    assert not page.run("return document.querySelector('#detail').open")
    page.until(lambda: page.run("return location.hash") == "")
    page.press("/")
    page.press(*"nobody")
    page.until(lambda: page.text("#rows-note") == "No workload matches.")
    assert page.run("return document.querySelector('#search').value") == "nobody"


def test_workloads_are_filtered_by_state_and_text(page: Browser, snapshots: SnapshotStore) -> None:
    leases = [lease(3_000_000 + n) for n in range(300)]
    many = [workload_of(x) for x in leases]
    many = [replace(w, state="paused") if n == 299 else w for n, w in enumerate(many)]
    snapshots.publish(later(52, replace(GOOD, workloads=tuple(sorted(many, key=lambda w: w.id)))))
    page.until(lambda: page.text("#rows-note").startswith("The 200 most urgent of 300"))
    page.run("[...document.querySelectorAll('#states button')].at(-1).click()")
    page.until(lambda: page.run("return document.querySelectorAll('#rows tr').length") == 1)
    assert page.text("#rows tr").startswith("paused")
    page.run("document.querySelector('#states button[aria-pressed=true]').click()")
    page.press("/")
    page.press(*"3000123")
    page.until(lambda: page.run("return document.querySelectorAll('#rows tr').length") == 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "phone"), [(1280, False), (820, False), (360, True)])
def test_layout_and_contrast(
    page: Browser, snapshots: SnapshotStore, tmp_path: Path, scheme: str, width: int, *, phone: bool
) -> None:
    failing = replace(FAILING, trouble=Trouble("ImagePullFailed", "x" * 300, "y" * 300))
    snapshots.publish(later(53, replace(GOOD, workloads=(HEALTHY, failing), holds=FULL.holds)))
    page.size(width, 800, phone=phone)
    page.scheme(scheme)
    page.until(lambda: "ImagePullFailed" in page.text("#rows"))
    assert page.run("return document.scrollingElement.scrollWidth") <= width
    dark = page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 19)"
    assert dark == (scheme == "dark")
    for selector in ("dt", "dd", ".note", ".quiet", "#summary", ".state", ".name", "th", ".message"):
        assert page.run(CONTRAST, selector) >= 4.5, selector
    page.run("document.querySelector('#rows .name').click()")
    page.until(lambda: "web: " in page.text("#log"))
    assert page.run("return document.querySelector('#detail').scrollWidth") <= width
    page.shoot(tmp_path / f"{scheme}-{width}.png")


CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
const ground = (node) => {
  for (let here = node; here; here = here.parentElement) {
    const found = parse(getComputedStyle(here).backgroundColor);
    if (found.length === 3 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
return Math.min(...[...document.querySelectorAll(arguments[0])].filter((n) => n.offsetParent).map((node) => {
  const [one, other] = [luminance(parse(getComputedStyle(node).color)), luminance(ground(node))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}));
"""
"""The least contrast of what a selector finds, as accessibility guidelines reckon it."""


def test_a_lost_connection_is_shown_and_restored(snapshots: SnapshotStore, tmp_path: Path) -> None:
    snapshots.publish(GOOD)
    first = serve(snapshots)
    with browser(tmp_path / "profile") as window:
        window.go(f"http://{first.ports.api}/")
        window.until(lambda: window.text("#summary").startswith("No issues"))
        first.stop()
        window.until(lambda: window.text("#summary").startswith("The daemon does not respond"))
        assert window.text("#rows").startswith("running"), "what was shown stays"
        again = serve(snapshots, api=first.ports.api)
        window.until(lambda: window.text("#summary").startswith("No issues"), 30)
        again.stop()


def test_the_token_is_a_browsers_password(snapshots: SnapshotStore, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", 900 * DAY)
    snapshots.publish(GOOD)
    proof = RemoteAccess(certificate, key, None, tokens_of(tmp_path))
    started = serve(snapshots, outside=ListenAddress("0.0.0.0", 0), remote_access=proof)
    assert started.ports.outside is not None
    port = started.ports.outside.port
    try:
        with browser(tmp_path / "profile", "--ignore-certificate-errors") as window:
            window.go(f"https://anyone:{TOKEN}@127.0.0.1:{port}/")
            window.until(lambda: window.text("#summary").startswith("No issues"))
            window.run("document.querySelector('#rows .name').click()")
            window.until(lambda: "web: " in window.text("#log"))
    finally:
        started.stop()
