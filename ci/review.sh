#!/bin/sh
# Reviews a change of a state repository, in any CI: is it valid, what would it do once it is merged.
#
#   ci/review.sh [--base COMMIT] [--head COMMIT] [--path FOLDER] [--provider NAME] [--out DIRECTORY] [--no-forge]
#
#   --base       what it is to be merged into; without it what GitHub, Gitea and GitLab name, else nothing is
#                merged and only what is there is checked
#   --head       the change; HEAD without it
#   --path       the provider's folder in the repository, where it is not the top
#   --provider   whose comment and snapshot, where several providers share the repository
#   --out        where review.md, state and description go; `review` without it
#   --no-forge   write files alone; another job with other rights tells the forge
#
# It checks the merge of the two, not the branch alone: what was valid last week may not be by now.
# Nothing of the repository is run. Exit code: 0 valid (warnings may be told), 1 errors or a conflict, 64 wrong
# usage, 69 a program is missing. A forge that fails is told and changes nothing of that.
# PROVIDER_DAEMON names the program where it is not on the PATH. Where the forge is: docs/pull-requests.md.
set -eu
export GIT_TERMINAL_PROMPT=0

program=${PROVIDER_DAEMON:-provider-daemon}
base='' head=HEAD folder=. provider='' out=review forge=yes

usage() {
    sed -n '2,18p' "$0" | cut -c3- >&2
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

for needed in git "$program"; do
    command -v "$needed" >/dev/null 2>&1 ||
        fail 69 "$needed is not there; install it (pip install virtengine-provider-gitops) or set PROVIDER_DAEMON"
done
git rev-parse --git-dir >/dev/null 2>&1 || fail 64 "this is no git repository; call it inside the state repository"
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(git rev-parse --show-toplevel)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The commit of a name; what a forge names is fetched where it is not here yet.
commit_of() {
    git rev-parse --verify --quiet --end-of-options "$1^{commit}"
}

find_base() {
    [ -z "$base" ] || return 0
    branch=${GITHUB_BASE_REF:-${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-}}
    [ -n "$branch" ] || return 0
    base=refs/remotes/origin/$branch
    git fetch --quiet --no-tags origin "+refs/heads/$branch:$base" 2>/dev/null || true
    # The snapshot that an offline plan looks at, where the forge has one.
    git fetch --quiet --no-tags origin '+refs/heads/snapshot/*:refs/remotes/origin/snapshot/*' 2>/dev/null || true
}

# Sets $tried to the commit that a merge would make; returns 1 on a conflict, its files in $scratch/conflict.
merge() {
    tried=$head
    [ -n "$base" ] || return 0
    git merge-base --is-ancestor "$base" "$head" && return 0
    code=0
    git merge-tree --write-tree --no-messages --name-only "$base" "$head" >"$scratch/merge" 2>"$scratch/merge.err" ||
        code=$?
    if [ "$code" -gt 1 ]; then
        echo "$0: git cannot merge here, the branch alone is checked: $(head -n 1 "$scratch/merge.err")" >&2
        return 0
    fi
    sed 1d "$scratch/merge" | sort -u >"$scratch/conflict"
    [ "$code" = 0 ] || return 1
    tried=$(git -c user.name=review -c user.email=review@localhost commit-tree --no-gpg-sign \
        -p "$base" -p "$head" -m 'What a merge would make' "$(head -n 1 "$scratch/merge")") ||
        fail 69 "git could not make the merge; see what it says above"
}

# Writes the files of $tried, as they are in the commit, to $scratch/tree.
unpack() {
    mkdir "$scratch/tree"
    GIT_INDEX_FILE=$scratch/index git read-tree "$tried"
    GIT_INDEX_FILE=$scratch/index git -c core.autocrlf=false checkout-index --all --prefix="$scratch/tree/"
    { [ -d "$scratch/tree/$folder" ] && [ ! -L "$scratch/tree/$folder" ]; } ||
        fail 64 "$folder is no folder of the repository; name the one with config.yaml"
}

# Text that may hold anything, as a block that nothing in it can end.
block() {
    printf '\n'
    sed 's/^/    /' "$1"
    printf '\n\n'
}

# Prints $1 to the log; on GitHub and Gitea no line of it is taken for a command.
show() {
    if [ -n "${GITHUB_ACTIONS:-}" ]; then
        word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        printf '::stop-commands::%s\n' "$word"
        cat "$1"
        printf '\n::%s::\n' "$word"
    else
        cat "$1"
    fi
}

conclude() {
    printf '%s\n' "$1" >"$out/state"
    printf '%s\n' "$2" >"$out/description"
}

review_conflict() {
    {
        printf '## This change cannot be merged\n\nIt and %s change the same lines of these files:\n' \
            "the branch it is for"
        block "$scratch/conflict"
        printf 'Merge that branch into yours, decide what shall be, and push again.\n'
    } >"$out/review.md"
    conclude failure "it conflicts with the branch it is for"
}

# Puts the provider's folder before the path that follows $1 on a line, as a forge's paths begin at the top.
inside() {
    if [ "$folder" = . ]; then
        cat
    else
        MARK=$1 FOLDER=${folder%/}/ awk '{
            at = index($0, ENVIRON["MARK"])
            end = at + length(ENVIRON["MARK"]) - 1
            print at ? substr($0, 1, end) ENVIRON["FOLDER"] substr($0, end + 1) : $0
        }'
    fi
}

check() {
    valid=0
    "$program" validate "$scratch/tree/$folder" >"$scratch/faults" 2>&1 || valid=$?
    if [ -n "${GITHUB_ACTIONS:-}" ]; then
        "$program" validate --format github "$scratch/tree/$folder" 2>/dev/null | grep '^::' | inside ' file=' || true
    elif [ -n "${GITLAB_CI:-}" ]; then
        "$program" validate --format gitlab "$scratch/tree/$folder" |
            inside '"path": "' >"$out/gl-code-quality-report.json" || true
    fi
}

# Sets $planned: 0 it was planned, 1 it could not be, none there is nothing to plan by, for the reason $unplanned.
plan() {
    planned=none
    unplanned='there is no branch to merge into'
    [ -n "$base" ] || return 0
    unplanned='the repository has no snapshot branch yet; a daemon that runs pushes one'
    [ -n "$(git for-each-ref --count=1 "refs/remotes/*/snapshot/${provider:-*}" \
        "refs/heads/snapshot/${provider:-*}")" ] || return 0
    unplanned='the provider is new: the branch to merge into lacks its folder'
    [ "$folder" = . ] || git cat-file -e "$base:${folder%/}" 2>/dev/null || return 0
    planned=0
    set -- plan --base "$base" --head "$tried" --offline --format markdown --json-file "$scratch/plan.json"
    [ -z "$provider" ] || set -- "$@" --provider "$provider"
    [ "$folder" = . ] || set -- "$@" --path "$folder"
    "$program" "$@" >"$scratch/plan.md" 2>"$scratch/plan.err" || planned=$?
    [ "$planned" != 2 ] || planned=0
}

review_files() {
    check
    plan
    {
        if [ "$valid" != 0 ]; then
            printf '## This change is not valid\n'
            block "$scratch/faults"
        elif grep -q ': warning' "$scratch/faults"; then
            printf '## What validation warns of\n'
            block "$scratch/faults"
        fi
        case $planned in
        0) cat "$scratch/plan.md" ;;
        none)
            [ "$valid" != 0 ] || printf '## This change is valid\n\n'
            printf 'No plan was made: %s.\n' "$unplanned"
            ;;
        *)
            printf '## What it would do is not known\n'
            block "$scratch/plan.err"
            ;;
        esac
    } >"$out/review.md"
    if [ "$valid" != 0 ]; then
        conclude failure "not valid: $(tail -n 1 "$scratch/faults")"
    elif [ "$planned" = none ]; then
        conclude success "valid; no plan: $unplanned"
    elif [ "$planned" != 0 ]; then
        conclude failure "valid, but what it would do is not known"
    elif ! grep -q '^  "ceilings": \[\]' "$scratch/plan.json"; then
        conclude success "valid; the host's limits hold some of it back, see the plan"
        echo "${GITHUB_ACTIONS:+::warning::}the host file's limits hold back what this change asks for; see the plan"
    elif grep -q '^  "withheld": \[$' "$scratch/plan.json"; then
        conclude success "valid; not all of it would be done, see the plan"
    else
        conclude success "valid; see the plan"
    fi
}

tell_forge() {
    if [ -z "${FORGE_URL:-}${GITHUB_ACTIONS:-}${GITEA_ACTIONS:-}" ]; then
        echo "$0: no forge was told, as none is named; set FORGE_URL, or say --no-forge" >&2
        return
    fi
    set -- --best-effort
    "$program" forge comment --file "$out/review.md" ${provider:+--provider "$provider"} "$@"
    "$program" forge status --state "$(cat "$out/state")" --description "$(cat "$out/description")" \
        ${provider:+--name "provider-daemon/review/$provider"} "$@"
}

find_base
head=$(commit_of "$head") || fail 64 "there is no commit $head here"
if [ -n "$base" ]; then
    base=$(commit_of "$base") || fail 64 "there is no commit $base here; fetch the whole history (fetch-depth: 0)"
fi
if merge; then
    unpack
    review_files
else
    review_conflict
fi
show "$out/review.md"
[ "$forge" = no ] || tell_forge
[ "$(cat "$out/state")" = success ]
