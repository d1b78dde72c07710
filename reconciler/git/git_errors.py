"""What git says when it fails, as a sentence that says what to do."""

import re

from reconciler.git.git_process import (
    LEFT_ALONE,
    MEMORY_BYTES_MAX,
    NETWORK_SECONDS,
    NO_GIT,
    TIMED_OUT,
    TOO_LONG,
    Ran,
)
from reconciler.git.remote import Remote, redact_url
from reconciler.values.text import one_line, visible

_LINE_MAX = 300

_GONE = (
    r"does not appear to be a git repository|repository '[^'\n]{0,500}' not found|Repository not found|"
    r"project you were looking for could not be found|does not exist|No such file or directory"
)
NOT_LET_IN = (
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|"
    r"Permission denied|HTTP Basic: Access denied|The requested URL returned error: 40[13]"
)
OUT_OF_REACH = (
    r"Could not resolve host|Could not resolve hostname|Name or service not known|Connection refused|"
    r"Failed to connect|Couldn't connect|Connection timed out|Network is unreachable|No route to host|"
    r"Operation too slow|Connection reset|The requested URL returned error: 5[0-9][0-9]"
)
_USED_UP = (
    r"[Oo]ut of memory|malloc failed|mmap failed|Cannot allocate memory|unable to create thread|"
    r"died of signal (?:9|24)\b"
)
_TOO_COSTLY = (
    "git cannot read the objects of {where} within its bounds "
    f"({MEMORY_BYTES_MAX >> 20} MiB of memory, {NETWORK_SECONDS / 2:.0f} s of processor time); "
    "look for huge files and folders in its newest commits, and take them out of the history"
)
_KNOWN: tuple[tuple[str, str], ...] = (
    (_USED_UP, _TOO_COSTLY),
    (
        r"dubious ownership|unsafe repository",
        "{where} belongs to another user through a link; name its real path",
    ),
    (
        r"Host key verification failed",
        "the host key of {where} is not known; add it to the user's known_hosts",
    ),
    (
        NOT_LET_IN,
        "{where} does not accept our credentials; check the key or the credentials of the daemon's user",
    ),
    (
        r"The requested URL returned error: 429|Too [Mm]any [Rr]equests",
        "{where} limits how often it is contacted, and is left alone for a while",
    ),
    (OUT_OF_REACH, "{where} cannot be reached now; it is asked again"),
    (
        r"error setting certificate (?:verify locations|file)|Problem with the SSL CA cert",
        "the certificates in repository.ca_file cannot be read; write a file in PEM form",
    ),
    (
        r"SSL certificate problem|certificate verification failed",
        "the certificate of {where} is not trusted; name its authority in repository.ca_file",
    ),
    (
        r"transport '[^'\n]{0,100}' not allowed",
        "the transport of {where} is not allowed; use https, ssh or a path",
    ),
    (r"No space left on device", "the disk of the state directory is full; make room"),
    (r"fsck error|bad object|unresolved deltas|invalid index-pack", "{where} sent objects that git refuses"),
    (r"File size limit exceeded|died of signal 25", "{where} sent more than a state repository holds"),
    (_GONE, "there is no repository at {where}; check repository.url in the host file"),
)


def git_error(ran: Ran, place: Remote) -> str:
    """One sentence about a failed command: what is wrong with the repository and what to do."""
    if ran.code == NO_GIT:
        return "git is not installed; install it (apt-get install git)"
    if ran.code == TIMED_OUT:
        return f"git did not finish in time on {place.shown}; it is asked again"
    if ran.code == LEFT_ALONE:
        return ran.errors
    if ran.code == TOO_LONG:
        return f"{place.shown} holds more than a state repository does; keep it to its own"
    if ran.used_up:
        return _TOO_COSTLY.format(where=place.shown)
    for pattern, sentence in _KNOWN:
        if re.search(pattern, ran.errors):
            return sentence.format(where=place.shown) + _quoted(ran)
    return f"git failed on {place.shown}" + (_quoted(ran) or f" with exit code {ran.code}")


def last_line(ran: Ran) -> str:
    """The line in which git says what stopped it."""
    lines = [line.strip() for line in redact_url(visible(ran.errors)).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR", "!"))]
    chosen = (telling or lines or [""])[0]
    return one_line(chosen.removeprefix("fatal:").removeprefix("error:"), _LINE_MAX)


def _quoted(ran: Ran) -> str:
    line = last_line(ran)
    return f" (git: {line})" if line else ""
