"""Subjects and effect keys: their text is parsed back into the same value."""

from __future__ import annotations

import pytest
from hypothesis import given

from reconciler.values.subjects import PROVIDER, EffectKey, Subject, SubjectKind
from tests.arbitrary import SUBJECTS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", SubjectKind.PROVIDER),
        ("repository", SubjectKind.PROVIDER),
        ("x\x1b[2J", SubjectKind.PROVIDER),
        ("workloads/1-1-1-abcdefghij.yaml", SubjectKind.FILE),
        ("pricing.yaml", SubjectKind.FILE),
        ("owner/1", SubjectKind.DEPLOYMENT),
        ("owner/1/1/1", SubjectKind.ORDER),
        ("owner/1/1/1/provider", SubjectKind.LEASE),
        ("1-1-1-abcdefghij", SubjectKind.WORKLOAD),
        ("ansible", SubjectKind.ADAPTER),
        ("AB" * 32, SubjectKind.TRANSACTION),
        ("ab" * 20, SubjectKind.REVISION),
    ],
)
def test_the_form_of_a_text_tells_its_kind(text: str, kind: SubjectKind) -> None:
    found = Subject.parse(text)
    assert (found.kind, str(found)) == (kind, text)


@given(SUBJECTS)
def test_a_subject_is_parsed_from_its_text(subject: Subject) -> None:
    found = Subject.parse(str(subject))
    assert (found, found.id) == (subject, subject.id)
    for key in (EffectKey("ApplyWorkload", subject), EffectKey("NotifyTenant", subject, "low")):
        assert EffectKey.parse(str(key)) == key


def test_a_bid_belongs_to_its_order() -> None:
    bid, order = Subject.parse("owner/1/1/1/provider"), Subject.parse("owner/1/1/1")
    assert (bid.order, bid.lease) == (order.order, bid.id)
    assert (order.lease, PROVIDER.order) == (None, None)


@pytest.mark.parametrize("text", ["", "x", ":x", "Kind/:x"])
def test_an_invalid_effect_key_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not kind:subject"):
        EffectKey.parse(text)


@pytest.mark.parametrize("name", ["kubernetes", "ansible", "east", "rack-2", "x" * 63])
def test_adapters_have_names_of_their_own(name: str) -> None:
    assert Subject.names_adapter(name)
    assert Subject.parse(name).kind is SubjectKind.ADAPTER


@pytest.mark.parametrize("name", ["chain", "repository", "spending", "", "a" * 40, "x.yaml", "a" * 64])
def test_an_adapter_is_not_named_like_another_object(name: str) -> None:
    assert not Subject.names_adapter(name)
