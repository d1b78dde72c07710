"""Webhooks of a forge: proven before anything is read of them; what they say is never read at all."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping

BODY_MAX_BYTES = 25 * 1024 * 1024
"""The most that a forge sends; it is hashed piece by piece and not kept."""

SIGNED = ("X-Hub-Signature-256", "X-Gitea-Signature")
"""An HMAC-SHA256 of the body in hex, with or without `sha256=` before it: GitHub, Gitea and Forgejo."""

TOKEN = "X-Gitlab-Token"  # noqa: S105 - a header's name
"""The secret itself: GitLab."""


class TooLongError(Exception):
    """A body longer than any forge sends."""


async def is_proven(headers: Mapping[str, str], body: AsyncIterator[bytes], secret: bytes) -> bool:
    """Whether the sender knows the secret; TooLongError. A wrong token is refused before the body is read."""
    token = headers.get(TOKEN)
    if token is not None:
        return hmac.compare_digest(_digest(token.encode("utf-8", "surrogatepass")), _digest(secret))
    given = next((headers[name] for name in SIGNED if name in headers), None)
    if given is None:
        return False
    made, length = hmac.new(secret, digestmod=hashlib.sha256), 0
    async for piece in body:
        length += len(piece)
        if length > BODY_MAX_BYTES:
            raise TooLongError
        made.update(piece)
    shown = given.removeprefix("sha256=").strip().lower()
    return hmac.compare_digest(shown.encode("utf-8", "replace"), made.hexdigest().encode())


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
