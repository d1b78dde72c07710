"""Git's failures as sentences that say what to do."""

import re

from reconciler.git.git_process import (
    BACKED_OFF,
    GIT_MISSING,
    MEMORY_BYTES_MAX,
    NETWORK_SECONDS,
    TIMED_OUT,
    TOO_LONG,
    GitResult,
)
from reconciler.git.remote import Remote, redact_url
from reconciler.values.text import one_line, visible

_LINE_MAX = 300

_NOT_FOUND = (
    r"does not appear to be a git repository|repository '[^'\n]{0,500}' not found|Repository not found|"
    r"project you were looking for could not be found|does not exist|No such file or directory"
)
AUTHENTICATION_FAILED = (
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|"
    r"Permission denied|HTTP Basic: Access denied|The requested URL returned error: 40[13]"
)
UNREACHABLE = (
    r"Could not resolve host|Could not resolve hostname|Name or service not known|Connection refused|"
    r"Failed to connect|Couldn't connect|Connection timed out|Network is unreachable|No route to host|"
    r"Operation too slow|Connection reset|The requested URL returned error: 5[0-9][0-9]"
)
_LIMIT_REACHED = (
    r"[Oo]ut of memory|malloc failed|mmap failed|Cannot allocate memory|unable to create thread|"
    r"died of signal (?:9|24)\b"
)
_TOO_COSTLY = (
    "git cannot read the objects of {where} within its limits "
    f"({MEMORY_BYTES_MAX >> 20} MiB of memory, {NETWORK_SECONDS / 2:.0f} s of CPU time); "
    "find huge files and folders in its newest commits, and remove them from the history"
)
_KNOWN: tuple[tuple[str, str], ...] = (
    (_LIMIT_REACHED, _TOO_COSTLY),
    (
        r"dubious ownership|unsafe repository",
        "{where} belongs to another user through a link; configure its real path",
    ),
    (
        r"Host key verification failed",
        "the host key of {where} is not known; add it to the user's known_hosts",
    ),
    (
        AUTHENTICATION_FAILED,
        "{where} rejects our credentials; check the ssh key or repository.credentials",
    ),
    (
        r"The requested URL returned error: 429|Too [Mm]any [Rr]equests",
        "{where} limits the rate of requests; the next one waits",
    ),
    (UNREACHABLE, "{where} cannot be reached; the request is repeated"),
    (
        r"error setting certificate (?:verify locations|file)|Problem with the SSL CA cert",
        "the certificates in repository.ca_file cannot be read; write a file in PEM form",
    ),
    (
        r"SSL certificate problem|certificate verification failed",
        "the certificate of {where} is not trusted; set repository.ca_file to its authority",
    ),
    (
        r"transport '[^'\n]{0,100}' not allowed",
        "the transport of {where} is not allowed; use https, ssh or a path",
    ),
    (r"No space left on device", "the disk of the state directory is full; free space on it"),
    (r"fsck error|bad object|unresolved deltas|invalid index-pack", "{where} sent objects that git rejects"),
    (
        r"File size limit exceeded|died of signal 25",
        "{where} sent too much data for a state repository",
    ),
    (_NOT_FOUND, "there is no repository at {where}; check repository.url in the host file"),
)


def git_error(ran: GitResult, remote: Remote) -> str:
    """A sentence about a failed command: what is wrong with the repository and what to do."""
    if ran.code == GIT_MISSING:
        return "git is not installed; install it (apt-get install git)"
    if ran.code == TIMED_OUT:
        return f"git did not finish in time on {remote.redacted_url}; the request is repeated"
    if ran.code == BACKED_OFF:
        return ran.errors
    if ran.code == TOO_LONG:
        return f"{remote.redacted_url} is too large for a state repository; move other files out of it"
    if ran.hit_limit:
        return _TOO_COSTLY.format(where=remote.redacted_url)
    for pattern, sentence in _KNOWN:
        if re.search(pattern, ran.errors):
            return sentence.format(where=remote.redacted_url) + _quoted(ran)
    return f"git failed on {remote.redacted_url}" + (_quoted(ran) or f" with exit code {ran.code}")


def last_line(ran: GitResult) -> str:
    """The line of git's output that names the error."""
    lines = [line.strip() for line in redact_url(visible(ran.errors)).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR", "!"))]
    chosen = (errors or lines or [""])[0]
    return one_line(chosen.removeprefix("fatal:").removeprefix("error:"), _LINE_MAX)


def _quoted(ran: GitResult) -> str:
    line = last_line(ran)
    return f" (git: {line})" if line else ""
