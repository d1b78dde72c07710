import json
import logging

from reconciler.cli.logs import Journal, Json, Plain

RECORD = logging.LogRecord(
    "reconciler.adapters.kubernetes", logging.WARNING, "", 1, "it %s", ("broke\nhere",), None
)


def test_one_line_an_event_that_a_grep_for_its_place_finds() -> None:
    RECORD.created = 0
    assert Plain().format(RECORD) == "1970-01-01T00:00:00Z warning adapters.kubernetes: it broke | here"
    assert Journal().format(RECORD) == "<4>adapters.kubernetes: it broke | here"


def test_json_on_request() -> None:
    RECORD.created = 0
    assert json.loads(Json().format(RECORD)) == {
        "time": "1970-01-01T00:00:00Z",
        "level": "warning",
        "place": "adapters.kubernetes",
        "message": "it broke | here",
    }
