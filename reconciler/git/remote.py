"""The address of a state repository, and the names that are safe to pass to git."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from reconciler.values.listen_address import LOOPBACK

_BRANCH = re.compile(r"(?!.*(?:\.\.|//|\.lock(?:/|$)|/\.|/$|\.$))[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SCP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^-\s][^\s]*")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


class BadRemoteError(ValueError):
    """The repository's address or a name in it cannot be used; the text says what to write."""


@dataclass(frozen=True, slots=True)
class Author:
    """The author of our commits."""

    name: str = "provider-daemon"
    email: str = "provider-daemon@localhost"


@dataclass(frozen=True, slots=True)
class Remote:
    """A state repository: `url` is a git URL or an absolute path, `path` the provider's folder in it or "".

    `allowed_signers` is a file in ssh's ALLOWED SIGNERS form, `credentials` one in git-credential-store's,
    `signing_key` an ssh key that signs our commits, `ca_file` the certificate authorities for its host
    (None: the system's).
    """

    url: str
    branch: str = "main"
    path: str = ""
    allowed_signers: Path | None = None
    credentials: Path | None = None
    author: Author = Author()
    signing_key: Path | None = None
    ca_file: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether the repository is a path on this machine."""
        return self.url.startswith("/")

    @property
    def redacted_url(self) -> str:
        """The address without user name and password, for messages."""
        return redact_url(self.url)


def redact_url(text: str) -> str:
    """The text without the part before an @ in its URLs."""
    return _SECRET.sub("", text)


def check_remote(remote: Remote) -> Remote:
    """The remote itself; BadRemoteError if git could misinterpret a part of it."""
    if not remote.is_local:
        _check_url(remote.url)
    if any(character in remote.url for character in "\n\r\0"):
        raise BadRemoteError("the repository's address contains a line end; write it on one line")
    check_branch(remote.branch)
    if remote.path and (
        remote.path.startswith(("/", "-", ":")) or ".." in remote.path.split("/") or "\\" in remote.path
    ):
        raise BadRemoteError(
            f"{remote.path!r} is not a folder inside a repository; write it as provider-a/state"
        )
    return remote


def check_branch(branch: str) -> str:
    """The branch itself; BadRemoteError unless it is a plain branch name."""
    if not _BRANCH.fullmatch(branch):
        raise BadRemoteError(f"{branch!r} is not a branch name; use letters, digits and . _ / -")
    return branch


def allowed_protocols(remote: Remote) -> str:
    """The value of GIT_ALLOW_PROTOCOL; plain http only on loopback."""
    plain = urlsplit(remote.url).scheme == "http" and urlsplit(remote.url).hostname in LOOPBACK
    return "https:ssh:file:http" if plain else "https:ssh:file"


def remote_host(url: str) -> str:
    """The host of a repository's address; "" for this machine."""
    if url.startswith("/"):
        return ""
    return urlsplit(url).hostname or url.partition("@")[2].partition(":")[0].lower()


def without_login(remote: Remote) -> tuple[str, str, str | None]:
    """The address for git, the user name, and the line for a credential store with its password.

    Git first sends the user name of an http address with an empty password: a failed login at each contact.
    """
    parts = urlsplit(remote.url)
    if remote.is_local or parts.hostname is None or parts.username is None:
        return remote.url, "", None
    host = parts.netloc.rpartition("@")[2]
    is_web = parts.scheme in ("http", "https")
    netloc = host if is_web else f"{parts.username}@{host}"
    bare = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
    user = "".join(c for c in unquote(parts.username) if c.isprintable()) if is_web else ""
    if parts.password is None:
        return bare, user, None
    return bare, user, f"{parts.scheme}://{parts.username}:{parts.password}@{host}\n"


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("https", "ssh") and parts.hostname and not parts.hostname.startswith("-"):
        return
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    if parts.scheme == "http":
        raise BadRemoteError(f"{redact_url(url)} is not encrypted; write https://")
    if "://" in url or not _SCP.fullmatch(unquote(url)):
        raise BadRemoteError(
            f"{redact_url(url)!r} is not a repository address; "
            "write https://, ssh://, user@host:path or an absolute path"
        )
