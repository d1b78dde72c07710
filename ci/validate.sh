#!/bin/sh
# Validates a state repository: every fault as file:line:column with what to write instead.
#   ci/validate.sh [DIRECTORY]     the folder that holds config.yaml; the current one without it
# Exit code: 0 valid (warnings may be printed), 1 faults, 64 wrong usage, 69 provider-daemon is not there.
# PROVIDER_DAEMON names the program where it is not on the PATH.
set -eu

usage() {
    echo "usage: $0 [DIRECTORY]" >&2
    exit 64
}

[ "$#" -le 1 ] || usage
directory=${1:-.}
case $directory in
-*) usage ;;
esac
if [ ! -d "$directory" ]; then
    echo "$0: $directory is no folder; name the one that holds config.yaml" >&2
    exit 64
fi

program=${PROVIDER_DAEMON:-provider-daemon}
if ! command -v "$program" >/dev/null 2>&1; then
    echo "$0: $program is not there; install it (pip install virtengine-provider-gitops) or set PROVIDER_DAEMON" >&2
    exit 69
fi
exec "$program" validate "$directory"
