"""The Linux capabilities that tenants' containers keep; all others are dropped, on clusters and hosts."""

from __future__ import annotations

CAPABILITIES = (
    "CHOWN",  # entry points give their data directory to the user that they become (postgres, redis, mysql)
    "DAC_OVERRIDE",  # root writes where another user owns: data directories, logs
    "FOWNER",  # chmod of what belongs to another user (postgres: 0700 of its data)
    "KILL",  # a supervisor as root signals workers of another user (nginx, s6)
    "NET_BIND_SERVICE",  # ports below 1024, where the runtime does not free them
    "SETGID",  # become an unprivileged group (gosu, su-exec, setpriv)
    "SETUID",  # become an unprivileged user
)
"""Public images need these to start. Engines grant more by default; images that need more do not start:
FSETID, SETFCAP and SETPCAP are for installers and builders, and useless without privilege escalation;
SYS_CHROOT and AUDIT_WRITE are for sshd; MKNOD creates devices; NET_RAW forges packets.
"""
