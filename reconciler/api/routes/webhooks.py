"""Authentication of a forge's webhooks: the body is hashed and never parsed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping

BODY_MAX_BYTES = 25 * 1024 * 1024
"""The largest body that a forge sends; it is hashed in chunks and not stored."""

SIGNED = ("X-Hub-Signature-256", "X-Gitea-Signature")
"""An HMAC-SHA256 of the body in hex, with or without the prefix `sha256=`: GitHub, Gitea and Forgejo."""

TOKEN = "X-Gitlab-Token"  # noqa: S105 - a header's name
"""The secret itself: GitLab."""


class BodyTooLongError(Exception):
    """A body is longer than any forge sends."""


async def is_authentic(headers: Mapping[str, str], body: AsyncIterator[bytes], secret: bytes) -> bool:
    """Whether the sender has the secret; a wrong token is rejected before the body is read."""
    token = headers.get(TOKEN)
    if token is not None:
        return hmac.compare_digest(_digest(token.encode("utf-8", "surrogatepass")), _digest(secret))
    given = next((headers[name] for name in SIGNED if name in headers), None)
    if given is None:
        return False
    signature, length = hmac.new(secret, digestmod=hashlib.sha256), 0
    async for chunk in body:
        length += len(chunk)
        if length > BODY_MAX_BYTES:
            raise BodyTooLongError
        signature.update(chunk)
    shown = given.removeprefix("sha256=").strip().lower()
    return hmac.compare_digest(shown.encode("utf-8", "replace"), signature.hexdigest().encode())


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
