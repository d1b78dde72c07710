"""When a server's certificate expires, and the warnings before."""

from __future__ import annotations

from reconciler.values.observed import CERTIFICATE_EXPIRES, Trouble
from reconciler.values.times import utc_text

EXPIRY_WARNING_SECONDS = 14 * 86_400
RENEW = "renew it; it is reloaded without a restart"


def expiry_trouble(name: str, clients: str, expires_at: int, now: int) -> Trouble | None:
    """A certificate (its file's name, and who rejects it) that has expired or soon will; times in Unix
    seconds.
    """
    when = utc_text(expires_at, "%Y-%m-%d %H:%M UTC")
    if expires_at <= now:
        message = f"the certificate {name} expired at {when}; {clients} reject it"
        return Trouble("CertificateExpired", message, RENEW)
    if expires_at <= now + EXPIRY_WARNING_SECONDS:
        return Trouble(CERTIFICATE_EXPIRES, f"the certificate {name} expires at {when}", RENEW)
    return None
