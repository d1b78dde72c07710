#!/bin/sh
# Reviews a change of a state repository, in any CI: validates it and plans the effects of its merge.
#
#   ci/review.sh [--base COMMIT] [--head COMMIT] [--path FOLDER] [--provider NAME] [--out DIRECTORY] [--no-forge]
#
#   --base       the branch or commit to merge into; by default only the files of --head are checked
#   --head       the change; default HEAD
#   --path       the provider's folder in the repository; default the top
#   --provider   the provider's name, if several share the repository
#   --out        directory for review.md, state and description; default `review`
#   --no-forge   write files only
#
# `provider-daemon review` reads git objects: no file of the change is checked out or run.
# Run this script from the base branch, never from the change. Exit code: 0 valid (there may be warnings),
# 1 errors or a conflict, 64 wrong usage, 69 a program is missing. A failing forge does not change it.
# PROVIDER_DAEMON names the program if it is not on the PATH. Settings of the forge: docs/pull-requests.md.
set -eu

program=${PROVIDER_DAEMON:-provider-daemon}
base='' head=HEAD folder='' provider='' out=review forge=yes

usage() {
    sed -n '2,17p' "$0" | cut -c3- >&2
    exit 64
}

fail() {
    echo "$0: $2" >&2
    exit "$1"
}

while [ "$#" -gt 0 ]; do
    case $1 in
    --no-forge) forge=no && shift && continue ;;
    --base | --head | --path | --provider | --out) [ "$#" -ge 2 ] || usage ;;
    *) usage ;;
    esac
    case $2 in
    '' | -*) usage ;;
    esac
    case $1 in
    --base) base=$2 ;;
    --head) head=$2 ;;
    --path) folder=$2 ;;
    --provider) provider=$2 ;;
    --out) out=$2 ;;
    esac
    shift 2
done

command -v git >/dev/null 2>&1 || fail 69 "git is not installed"
command -v "$program" >/dev/null 2>&1 ||
    fail 69 "$program is not installed; ci/program.txt names where CI installs it from; set PROVIDER_DAEMON to its path"
git rev-parse --git-dir >/dev/null 2>&1 || fail 64 "this is not a git repository; run it inside the state repository"
for commit in ${base:+"$base"} "$head"; do
    git rev-parse --verify --quiet --end-of-options "$commit^{commit}" >/dev/null ||
        fail 64 "commit $commit does not exist here; fetch it with its history"
done

form=text
[ -z "${GITHUB_ACTIONS:-}" ] || form=github
[ -z "${GITLAB_CI:-}" ] || form=gitlab
set -- --head "$head" --out "$out" --format "$form"
[ -z "$base" ] || set -- "$@" --base "$base"
[ -z "$folder" ] || set -- "$@" --path "$folder"
[ -z "$provider" ] || set -- "$@" --provider "$provider"
rm -f "$out/review.md"
code=0
"$program" review "$@" || code=$?
if [ ! -f "$out/review.md" ]; then
    [ "$code" != 0 ] || code=1
    mkdir -p "$out"
    echo '## The review failed' >"$out/review.md"
    echo 'See its log for the reason.' >>"$out/review.md"
    echo failure >"$out/state"
    echo 'the review failed; see its log' >"$out/description"
fi

if [ "$forge" = yes ] && [ -n "${FORGE_URL:-}${GITHUB_ACTIONS:-}${GITEA_ACTIONS:-}" ]; then
    set -- --best-effort
    "$program" forge comment --file "$out/review.md" ${provider:+--provider "$provider"} "$@"
    "$program" forge status --state "$(cat "$out/state")" --description "$(cat "$out/description")" \
        ${provider:+--name "provider-daemon/review/$provider"} "$@"
elif [ "$forge" = yes ]; then
    echo "$0: no forge is configured, so nothing is posted; set FORGE_URL, or pass --no-forge" >&2
fi
exit "$code"
