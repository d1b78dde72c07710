"""A question to the running daemon's API on this machine."""

from __future__ import annotations

import http.client
import json
from typing import Any

from reconciler.cli.faults import ToldError
from reconciler.values.listening import Listen

TIMEOUT_SECONDS = 5
ANSWER_MAX = 64 * 1024 * 1024


class NoDaemonError(ToldError):
    """Nobody answers there."""


def ask(listen: Listen, path: str, method: str = "GET") -> Any:
    """The answer's JSON; NoDaemonError where no daemon answers, ToldError where it refuses."""
    connection = http.client.HTTPConnection(listen.host, listen.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read(ANSWER_MAX)
    except (OSError, http.client.HTTPException) as error:
        where = f"{listen.host}:{listen.port}"
        raise NoDaemonError(
            f"error: no daemon answers on {where} ({error}); start it with `provider-daemon run`"
        ) from None
    finally:
        connection.close()
    if answer.status // 100 != 2:
        raise ToldError(f"error: the daemon answered {answer.status}: {body.decode(errors='replace')[:500]}")
    return json.loads(body)
