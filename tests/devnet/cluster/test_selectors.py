from __future__ import annotations

import pytest

from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.selectors import selector

POD = {"metadata": {"name": "p", "labels": {"app": "web", "tier": "front"}}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("labels", "fields", "matches"),
    [
        ("", "", True),
        ("app=web", "", True),
        ("app==web,tier=front", "", True),
        ("app=db", "", False),
        ("app!=db", "", True),
        ("zone!=a", "", True),
        ("app", "", True),
        ("!zone", "", True),
        ("!app", "", False),
        ("app in (web, db)", "", True),
        ("app notin (web,db),tier=front", "", False),
        ("zone notin (a)", "", True),
        ("", "metadata.name=p", True),
        ("", "status.phase!=Running", False),
        ("", "spec.nodeName=", True),
        ("app=web", "metadata.name=q", False),
    ],
)
def test_labels_and_fields_both_count(labels: str, fields: str, matches: bool) -> None:
    assert selector(labels, fields)(POD) is matches


def test_a_field_selector_without_a_value_is_refused() -> None:
    with pytest.raises(RefusalError, match="invalid field selector"):
        selector("", "metadata.name")
