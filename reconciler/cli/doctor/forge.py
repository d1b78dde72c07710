"""`doctor`, checks of the forge that shows states of commits."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.doctor.checks import CheckResult, ok, warn
from reconciler.forge.client import ForgeClient
from reconciler.forge.errors import ForgeError
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.runtime.secret_files import SecretError, SecretFile, read_token
from reconciler.settings import Settings

SECONDS = 10


def check_forge(settings: Settings) -> Iterator[CheckResult]:
    """Whether it answers and takes our token; nothing where the host file names none. Never wrong, as nothing
    waits for a forge.
    """
    if (page := settings.forge) is None:
        return
    try:
        token = SecretFile(page.token_file, read_token).content
        may = ForgeClient(page.repository, ForgeHttp(token, HttpBounds(SECONDS, tries=1))).may_write()
    except SecretError as error:
        yield warn("forge", *_split(str(error)))
    except ForgeError as error:
        yield warn("forge", f"commits' states are not shown: {error}", "check forge: in the host file")
    else:
        where = f"{page.repository.repository} on {page.repository.api}"
        if may:
            yield ok("forge", f"{where} shows states as {page.name}")
        else:
            yield warn("forge", f"the token can only read {where}", "grant its account write access")


def _split(sentence: str) -> tuple[str, str]:
    message, _, advice = sentence.partition("; ")
    return message, advice
