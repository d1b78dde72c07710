from __future__ import annotations

import pytest

from reconciler.devnet.cluster.kinds import BY_NAME, KINDS
from reconciler.devnet.cluster.tables import age, table
from tests.devnet.cluster.makers import NOW, Stepped, deployment_spec

SINCE = "2027-01-15T08:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (3600, "60m"),
        (7 * 3600, "7h"),
        (3 * 86400, "3d"),
    ],
)
def test_ages_have_kubectls_form(seconds: int, shown: str) -> None:
    assert age(SINCE, NOW + seconds) == shown
    assert age(None, NOW) == "<unknown>"


def test_a_table_has_a_cell_for_each_column() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec())
    stepped.step()

    for kind in KINDS:
        found = stepped.cluster.objects(kind.plural)
        made = table(kind, found, NOW)
        assert all(len(row["cells"]) == len(made["columnDefinitions"]) for row in made["rows"])


def test_a_table_includes_whole_objects_on_request() -> None:
    stepped = Stepped()
    found = [stepped.create("Secret", "s")]

    whole = table(BY_NAME["Secret"], found, NOW, whole=True)
    bare = table(BY_NAME["Secret"], found, NOW)

    assert whole["rows"][0]["object"] == found[0]
    assert bare["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert "type" not in bare["rows"][0]["object"]
