"""The limits of HTTP options, of an SDL file and of a manifest (semantics 6.7)."""

from __future__ import annotations

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted
from reconciler.manifests.manifest import ExposeHttpOptions
from reconciler.values.specification import NEXT_CASES, NO_NEXT_CASE

BODY_BYTES_MAX = 100 << 20
TIMEOUT_MILLISECONDS_MAX = 60_000
TRIES_MAX = 100


def check_http_options(options: ExposeHttpOptions) -> None:
    """Raise ManifestError for the first option that is not allowed; 0 is the default of each number.

    Stricter than the reference in the tries and their time-out, which it does not limit.
    """
    for name, value, most, unit in (
        ("body size", options.max_body_size, BODY_BYTES_MAX, "bytes"),
        ("read timeout", options.read_timeout, TIMEOUT_MILLISECONDS_MAX, "ms"),
        ("send timeout", options.send_timeout, TIMEOUT_MILLISECONDS_MAX, "ms"),
        ("next timeout", options.next_timeout, TIMEOUT_MILLISECONDS_MAX, "ms"),
        ("next tries", options.next_tries, TRIES_MAX, "containers"),
    ):
        if value > most:
            raise ManifestError(f"http option not allowed: {name} cannot be greater than {most} {unit}")
    cases = options.next_cases or ()
    for case in cases:
        if case == NO_NEXT_CASE and len(cases) > 1:
            raise ManifestError("if 'off' is specified, no other cases may be specified")
        if case != NO_NEXT_CASE and case not in NEXT_CASES:
            raise ManifestError(f"next case is unknown: {quoted(case)}")
