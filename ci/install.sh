#!/bin/sh
# Installs provider-daemon for CI:  ci/install.sh DIRECTORY
#
# Dependencies come from the package index, verified by their hashes in ci/requirements.lock. The program
# comes only from the address in ci/program.txt.
set -eu
here=$(dirname "$0")
venv=${1:?usage: ci/install.sh DIRECTORY}

if ! grep -q '^[^#]' "$here/program.txt"; then
    echo "error: $here/program.txt does not say where provider-daemon is installed from; write one line there" >&2
    exit 69
fi
for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
    "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo "error: this runner has no Python 3.11 or newer with venv; install python3 and python3-venv" >&2
    exit 69
fi
"$python" -m venv --clear "$venv"
set -- "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check
"$@" --require-hashes -r "$here/requirements.lock"
"$@" --no-deps --no-build-isolation -r "$here/program.txt"
