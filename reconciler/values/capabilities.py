"""The Linux capabilities that tenants' containers keep; everything else is dropped, on clusters and hosts."""

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
"""What public images need to start. Engines grant more by default, and images that need it do not start:
FSETID, SETFCAP and SETPCAP serve installers and builders, and mean little where no privileges can be gained;
SYS_CHROOT and AUDIT_WRITE serve sshd; MKNOD makes devices; NET_RAW forges packets.
"""
