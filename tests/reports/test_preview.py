"""Previews as text, Markdown and JSON: order of sections, escaping, limits."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.forge.escaping import COMMENT_CHARACTERS, neutralize
from reconciler.reports.preview import report_of
from reconciler.reports.preview_json import preview_json
from reconciler.reports.preview_markdown import ROWS_MAX, preview_markdown
from reconciler.reports.preview_text import preview_text
from reconciler.values.desired import Fault
from reconciler.values.ids import OrderId
from reconciler.values.memory import Memory
from reconciler.values.plans import Hold, Plan, Reason, RemoveWorkload
from reconciler.values.preview import (
    BidDecision,
    Costs,
    FieldChange,
    FileChange,
    FreeCapacity,
    OrderChange,
    Preview,
    PreviewBasis,
    Price,
    Quote,
    WorkloadChange,
)
from reconciler.values.resources import MB, Resources
from reconciler.values.subjects import Subject
from tests import makers

QUIET = Plan("a" * 40, (), (), (), Memory())
AFTER = replace(QUIET, revision="c" * 40)
"""The changed revision is in force, and there is nothing to do."""
OLD = Quote(Decimal(100), Decimal(72_000), Decimal(51_840_000), 50_000_000, 3_600)
NEW = Quote(Decimal(120), Decimal(86_400), Decimal(62_208_000), 60_000_000, None)
UNREAD = Fault("adapters/docker.yaml", 0, 0, "this file is not read", warning=True, rule="files")
FIELD = FieldChange("bidding.enabled", "true", "false")
EVIL = "`x` @team <img src=y> #1 [a](b) | \x1b[31m\u202e\n- item"


def preview(**changes: Any) -> Preview:
    basis = PreviewBasis("p", "test-1", 7, 0, "b" * 40)
    made = Preview(basis, "a" * 40, "c" * 40, QUIET, AFTER, Costs(2, 100, Decimal(5)))
    return replace(made, **{"files": (FileChange("pricing.yaml", "changed"),), **changes})


def test_unchanged_parts_are_omitted() -> None:
    none = replace(preview(), files=())
    assert report_of(none).headline == "nothing changes: no file of this provider differs"
    text = preview_text(none)
    assert "Files" not in text
    assert "Prices" not in text
    assert "height 7; it has applied bbbbbbbbbbbb." in text


def test_prices_have_old_and_new_values_with_digit_groups() -> None:
    dear = replace(NEW, rate=Decimal("1234567.5"))
    made = preview(prices=(Price("small", Resources(500, 512 * MB, 1024 * MB), OLD, dear),))
    row = next(line for line in preview_text(made).splitlines() if line.strip().startswith("small"))
    assert [cell.strip() for cell in row.split("   ") if cell.strip()] == [
        "small",
        "100 -> 1,234,567.5",
        "+1,234,467.5 %",
        "50,000,000 -> 60,000,000",
    ]
    assert "small is 500m, 512 MB, disk 1,024 MB." in preview_text(made)
    assert "| 100 → 1,234,567.5 |" in preview_markdown(made)
    first = preview(prices=(Price("small", Resources(500), None, NEW),))
    assert "- -> 120" in preview_text(first)
    assert report_of(first).headline == "prices set"


def test_a_file_with_errors_is_listed_once_without_its_fields() -> None:
    held = Hold(
        Subject.parse("pricing.yaml"),
        Reason.FILE_FAULTY,
        "no price; the last good version stays in force",
        ours=True,
    )
    made = preview(
        files=(FileChange("pricing.yaml", "changed", fields=(FieldChange("pricing.gpu", "1uve", ""),)),),
        faults=(Fault("pricing.yaml", 3, 1, "no price"),),
        after=replace(AFTER, holds=(held,)),
    )
    text = preview_text(made)
    assert text.count("no price") == 1
    assert "pricing.gpu" not in text
    assert "it has errors and is not applied" in text


def test_only_commands_are_code_in_a_comment() -> None:
    message = "let it pass: `provider-daemon approve DIGEST` or `provider-daemon x](y)` or `rm`"
    text = preview_markdown(
        preview(ceilings=(Hold(Subject.parse("a"), Reason.PRICE_JUMP, message, ours=True),))
    )
    assert "pass: `provider-daemon approve DIGEST` or &#96;provider-daemon x&#93;" in text
    assert "or &#96;rm&#96;" in text


def test_errors_limits_and_warnings_come_first() -> None:
    made = preview(
        faults=(Fault("pricing.yaml", 3, 1, "no price"), Fault("config.yaml", 1, 1, "hm", warning=True)),
        ceilings=(Hold(Subject.parse("pricing.yaml"), Reason.PRICE_JUMP, "too far", ours=True),),
        warnings=("bidding stops",),
        notes=("a doubt",),
    )
    for render in (preview_text, preview_markdown):
        out = render(made)
        order = ["pricing.yaml:3:1", "too far", "bidding stops", "warning: hm", "Files", "a doubt"]
        places = [out.index(word) for word in order]
        assert places == sorted(places)


def test_only_lines_that_the_new_plan_adds_are_listed() -> None:
    old = Hold(Subject.parse("1-1-1-aaaaaaaaaa"), Reason.NO_WORKLOAD_FILE, "it waits")
    new = Hold(Subject.parse("1-1-1-aaaaaaaaaa"), Reason.ASKS_TOO_MUCH, "it asks for more")
    gone = RemoveWorkload("kubernetes", makers.workload(2).id, "its lease is closed")
    made = preview(
        before=replace(QUIET, holds=(old,)), after=replace(AFTER, holds=(old, new), actions=(gone,))
    )
    text = preview_text(made)
    done, withheld = text.split("\nHolds\n")
    assert "AsksTooMuch: it asks for more" in withheld
    assert f"remove workload {gone.id}" in done
    assert f"remove workload {gone.id}" not in withheld
    assert "it waits" not in text
    assert ": 1 more affected, 1 held." in text


def test_the_fields_of_a_workload_are_listed_with_its_effects() -> None:
    workload = makers.workload(2)
    held = Hold(Subject.parse(workload.id), Reason.ASKS_TOO_MUCH, "it asks for more")
    made = preview(
        after=replace(AFTER, holds=(held,)),
        workloads=(WorkloadChange(workload.id, workload.path, "changed"),),
        files=(FileChange(workload.path, "changed", fields=(FieldChange("services.web.image", "a", "b"),)),),
    )
    lines = [line.strip() for line in preview_text(made).splitlines()]
    at = lines.index(f"{workload.id}: changed")
    assert lines[at + 1 : at + 3] == ["services.web.image: a -> b", "AsksTooMuch: it asks for more"]
    assert preview_text(made).count(workload.id) == 1


def test_capacity_is_listed_if_it_changes() -> None:
    before = FreeCapacity(Resources(8000, 8 * MB, 8 * MB, 1), Resources(4000, 4 * MB, 4 * MB, 1))
    after = replace(before, free=Resources(3000, 4 * MB, 4 * MB, 0))
    assert "Capacity" not in preview_text(preview(rooms=(before, before)))
    text = preview_text(preview(rooms=(before, after)))
    assert "4,000m -> 3,000m" in text
    assert "1 -> 0" in text


@pytest.mark.parametrize("render", [preview_markdown, preview_text])
def test_foreign_text_is_escaped(render: object) -> None:
    made = preview(
        orders=(
            OrderChange(OrderId(EVIL, 1, 1, 1), BidDecision(), BidDecision(None, Reason.NO_PRICE, EVIL)),
        ),
        ceilings=(Hold(Subject.parse(EVIL), Reason.CEILING, EVIL),),
        warnings=(EVIL,),
        notes=(EVIL,),
        files=(FileChange(EVIL, "changed", fields=(FieldChange(EVIL, EVIL, EVIL),)),),
        faults=(Fault(EVIL, 1, 1, EVIL, EVIL),),
    )
    assert callable(render)
    out = render(made)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\n- item" not in out
    if render is preview_markdown:
        shown = out.replace("<details>", "").replace("<details open>", "").replace("</details>", "")
        for sign in ("<img", "[a](b)", "`x`"):
            assert sign not in shown
        for sign in ("@team", " #1"):
            assert sign not in neutralize(shown)


def test_a_long_list_is_truncated_in_a_comment_only() -> None:
    many = tuple(
        OrderChange(makers.order_id(n), BidDecision(Decimal(1)), BidDecision(Decimal(2)))
        for n in range(1, 101)
    )
    made = preview(orders=many, orders_open=100)
    assert preview_markdown(made).count("bid 2uve") == ROWS_MAX
    assert "and 50 more" in preview_markdown(made)
    assert preview_text(made).count("bid 2uve") == 100


def test_every_section_fits_into_a_comment() -> None:
    long = "*" * 5_000
    made = preview(
        faults=tuple(Fault(f"{n}{long}", 1, 1, long, long) for n in range(60)),
        ceilings=tuple(Hold(Subject.parse(f"{n}"), Reason.CEILING, f"limit {long}") for n in range(60)),
        warnings=("worth knowing",) * 60,
        files=tuple(
            FileChange(f"{n}{long}", "changed", fields=(FieldChange(long, long, long),)) for n in range(60)
        ),
        workloads=tuple(WorkloadChange(makers.workload(n).id, long, "changed") for n in range(1, 60)),
        notes=("taken 5 minutes ago",),
    )
    out = preview_markdown(made)
    assert len(out) <= COMMENT_CHARACTERS
    assert out.count("<details") == out.count("</details>")
    for text in ("limit &#42;", "worth knowing", "taken 5 minutes ago"):
        assert text in out


def test_json_has_numbers_as_text_or_integers() -> None:
    room = FreeCapacity(Resources(1), Resources(2))
    made = preview(
        prices=(Price("small", Resources(500), OLD, None),),
        orders=(OrderChange(makers.order_id(1), BidDecision(Decimal("1.5")), BidDecision()),),
        rooms=(room, None),
        ceilings=(Hold(Subject.parse("x"), Reason.CEILING, "y"),),
        faults=(Fault("a", 1, 2, "b", "c", warning=True),),
    )
    found = json.loads(preview_json(made))
    assert found["prices"][0]["old"]["month_net_uve"] == 50_000_000
    assert found["prices"][0]["new"] is None
    assert found["orders"][0]["before"]["bid_uve"] == "1.5"
    assert found["capacity"]["after"] is None
    [ceiling] = found["ceilings"]
    assert (ceiling["subject"], ceiling["kind"], ceiling["reason"]) == ("x", "adapter", "Ceiling")
    assert (ceiling["message"], ceiling["ours"], ceiling["approval"]) == ("y", False, "")
    assert found["faults"][0]["severity"] == "warning"
    assert found["costs"] == {"block_seconds": "5", "month_fees_uve": 100, "take_percent": 2}


def held(number: int) -> Hold:
    return Hold(
        Subject.parse(makers.workload(number).id), Reason.ASKS_TOO_MUCH, "it asks for more", ours=True
    )


def workload_change(number: int, verb: str = "changed") -> WorkloadChange:
    workload = makers.workload(number)
    return WorkloadChange(workload.id, workload.path, verb)


def test_the_headline_counts_effects_and_holds() -> None:
    numbers = range(1, 203)
    made = preview(
        files=tuple(FileChange(makers.workload(n).path, "changed") for n in numbers),
        workloads=tuple(workload_change(n, "closed" if n == 202 else "changed") for n in numbers),
        after=replace(AFTER, holds=tuple(held(n) for n in range(1, 200))),
        prices=(Price("small", Resources(500), OLD, replace(NEW, rate=Decimal("139.6"))),),
    )
    assert report_of(made).headline == "1 closed, 2 changed, 199 held; prices +39.6 %"
    assert json.loads(preview_json(made))["takes_effect"] is True
    for out in (preview_text(made), preview_markdown(made)):
        assert out.index(": closed") < out.index(": changed") < out.index("AsksTooMuch")


def test_effects_come_before_holds_in_a_truncated_list() -> None:
    """The id of the removed workload sorts after those of a thousand held ones."""
    last = makers.workload(9_000)
    made = preview(
        files=tuple(FileChange(makers.workload(n).path, "changed") for n in range(1, 1_000)),
        workloads=tuple(workload_change(n) for n in range(1, 1_000)),
        after=replace(
            AFTER,
            holds=tuple(held(n) for n in range(1, 1_000)),
            actions=(RemoveWorkload("kubernetes", last.id, "its lease is closed"),),
        ),
    )
    out = preview_markdown(made)
    assert f"remove workload {last.id}" in out[:1_500]
    assert "and 949 more" in out


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"after": QUIET, "ceilings": (Hold(Subject.parse("x"), Reason.PRICE_JUMP, "y"),)},
            "held back by PriceJump",
        ),
        ({"after": QUIET}, "another revision stays in force"),
        ({"faults": (Fault("pricing.yaml", 1, 1, "no price"),)}, "its files have errors"),
        ({}, "only comments, order or format differ"),
        (
            {"files": (FileChange("adapters/docker.yaml", "added"),), "faults": (UNREAD,)},
            "its files are not read",
        ),
        (
            {
                "files": (FileChange(makers.workload(1).path, "changed"),),
                "workloads": (workload_change(1),),
                "after": replace(AFTER, holds=(held(1),)),
            },
            "all of it is withheld, 1 held",
        ),
    ],
)
def test_a_change_without_effect_has_the_reason(changes: dict[str, Any], why: str) -> None:
    made = preview(**changes)
    assert report_of(made).headline == f"nothing takes effect: {why}"
    assert preview_markdown(made).startswith(
        f"### Effects of merging this on p: nothing takes effect: {why}\n"
    )
    assert json.loads(preview_json(made))["takes_effect"] is False


def test_one_file_with_an_effect_suffices() -> None:
    files = (FileChange("a.yaml", "changed"), FileChange("config.yaml", "changed", fields=(FIELD,)))
    assert report_of(preview(files=files)).headline == "2 files changed"
