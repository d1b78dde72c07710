"""The isolated environment of git: no configuration of the user or the system, no hooks, no prompts."""

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.remote import Remote, allowed_protocols, without_login

CONFIG = """\
[safe]
{safe}
[core]
\thooksPath = /dev/null
\tfsmonitor = false
\tbigFileThreshold = 8m
\tpackedGitLimit = 256m
\tpackedGitWindowSize = 32m
\tdeltaBaseCacheLimit = 32m
[pack]
\tthreads = 1
\twindowMemory = 64m
[protocol]
\tversion = 2
[transfer]
\tfsckObjects = true
\tbundleURI = false
[fetch]
\trecurseSubmodules = false
\twriteCommitGraph = false
[submodule]
\trecurse = false
[gc]
\tauto = 0
\tautoDetach = false
[maintenance]
\tauto = false
[receive]
\tautogc = false
[http]
\tfollowRedirects = initial
\tlowSpeedLimit = 100
\tlowSpeedTime = 30
{authorities}{signing}{credentials}"""
"""Git also reads it when it serves a push to a repository on this machine."""

FORCED = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("log.showSignature", "false"),
    ("gpg.program", "/bin/false"),
    ("gpg.openpgp.program", "/bin/false"),
    ("gpg.x509.program", "/bin/false"),
)
"""Settings that override the repository's own configuration, which could name programs to run.

OpenPGP and X.509 never verify: only the list of ssh signers counts.
"""

KEYGEN = """\
#!/bin/sh
# git verifies a signature as of the date that the commit gives itself, which its author writes. Without that
# option ssh-keygen verifies as of now: the key must be valid at the time of the check.
for word do
    shift
    case $word in
        -Overify-time=*) ;;
        *) set -- "$@" "$word" ;;
    esac
done
exec ssh-keygen "$@"
"""
"""The program that git runs as ssh-keygen."""

GET_ONLY = '!f() {{ test "$1" != get || git credential-store --file={store} get; }}; f'
"""Without erase: git-credential-store removes a login that a server rejects, even by mistake."""

SSH = (
    "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20 "
    "-o ServerAliveInterval=10 -o ServerAliveCountMax=3"
)


@dataclass(frozen=True, slots=True)
class GitEnvironment:
    """The variables of every git command, those of this process to hide from it, and the URL."""

    variables: dict[str, str]
    hidden: tuple[str, ...]
    url: str


def make_environment(remote: Remote, home: Path, mirror: Path, *, offline: bool = False) -> GitEnvironment:
    """Write git's configuration into `home` (0700) and name it in the variables; OSError where that fails.

    `alone` keeps git from asking anybody, also for objects that a partial clone has left out.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    url, user, secret = without_login(remote)
    store = remote.credentials
    if secret is not None:
        store = home / "credentials"
        _write(store, secret)
    keygen = home / "ssh-keygen"
    _write(keygen, KEYGEN)
    keygen.chmod(0o700)
    config = home / "config"
    _write(config, _config(remote, mirror, _credentials(store, user)))
    variables = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_DIR": str(mirror),
        "GIT_ALLOW_PROTOCOL": "none" if offline else allowed_protocols(remote),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_SSH_COMMAND": SSH,
        "GIT_SSH_VARIANT": "ssh",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_FLUSH": "1",
        "TZ": "UTC",
        "GIT_AUTHOR_NAME": remote.author.name,
        "GIT_AUTHOR_EMAIL": remote.author.email,
        "GIT_COMMITTER_NAME": remote.author.name,
        "GIT_COMMITTER_EMAIL": remote.author.email,
        "XDG_CONFIG_HOME": str(home),
        **_forced(remote, keygen),
    }
    return GitEnvironment(
        variables, tuple(sorted(k for k in os.environ if k.startswith("GIT_") and k not in variables)), url
    )


def _forced(remote: Remote, keygen: Path) -> dict[str, str]:
    """FORCED and the verification of signatures, as variables that git reads last."""
    signers = str(remote.allowed_signers or "/dev/null")
    pairs = (*FORCED, ("gpg.ssh.program", str(keygen)), ("gpg.ssh.allowedSignersFile", signers))
    found = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for at, (key, value) in enumerate(pairs):
        found |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    return found


def _config(remote: Remote, mirror: Path, credentials: str) -> str:
    ours = [str(mirror)]
    if remote.is_local:
        real = os.path.realpath(remote.url)
        ours += sorted({remote.url, real, f"{remote.url}/.git", f"{real}/.git"})
    signing = ""
    authorities = f"\tsslCAInfo = {_quoted(str(remote.ca_file))}\n" if remote.ca_file else ""
    if remote.signing_key is not None:
        key = _quoted(str(remote.signing_key))
        signing = f"[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = {key}\n[commit]\n\tgpgSign = true\n"
    safe = "\n".join(f"\tdirectory = {_quoted(path)}" for path in ours)
    return CONFIG.format(safe=safe, authorities=authorities, signing=signing, credentials=credentials)


def _credentials(store: Path | None, user: str) -> str:
    if store is None:
        return ""
    helper = GET_ONLY.format(store=_shell(str(store)))
    name = f"\tusername = {_quoted(user)}\n" if user else ""
    return f"[credential]\n{name}\thelper =\n\thelper = {_quoted(helper)}\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _write(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
