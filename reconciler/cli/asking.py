"""A question to the running daemon's API on this machine."""

from __future__ import annotations

import http.client
import json
from typing import Any

from reconciler.cli.faults import ToldError
from reconciler.values.listening import Listen

TIMEOUT_SECONDS = 5
ANSWER_MAX = 64 * 1024 * 1024


def ask(listen: Listen, path: str) -> Any:
    """The answer's JSON; ToldError where no daemon answers."""
    connection = http.client.HTTPConnection(listen.host, listen.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(ANSWER_MAX)
    except (OSError, http.client.HTTPException) as error:
        where = f"{listen.host}:{listen.port}"
        raise ToldError(
            f"error: no daemon answers on {where} ({error}); start it with `provider-daemon run`"
        ) from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ToldError(f"error: the daemon answered {answer.status}: {body.decode(errors='replace')[:500]}")
    return json.loads(body)
