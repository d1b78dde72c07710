"""Parts of the daemon without HTTP: executors, timings, metrics history, secret files, systemd."""
