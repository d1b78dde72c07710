"""All bad input: the exact message, and what continues to work meanwhile.

The cases are in tests/bad_input/: each provokes its input with real files and sockets, asserts that the rest
continues, and that nothing is lost afterwards.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bad_input import chains, clusters, files, machines, repositories
from tests.bad_input.case import Case, Workspace
from tests.simulation.outside import WorldState
from tests.simulation.sim import middle

LAST_VALID = "its last valid version stays in force"
UNSEEN = "no bid, withdrawal or removal until it is seen"
A_FILES_REST = "its last valid version, every other file of the commit, bids"
ON_THE_CLUSTER = "what runs is repaired; once it is seen, the closed lease goes and the order is bid on"

TABLE = [
    Case(
        "a broken YAML file",
        files.BROKEN,
        "pricing.yaml:4:23: not YAML: mapping values are not allowed in this context (put text that contains "
        f'": " in quotes, or check the indentation); {LAST_VALID}',
        A_FILES_REST,
    ),
    Case(
        "an unknown key",
        files.UNKNOWN_KEY,
        "pricing.yaml:3:1: pricing: the key cpu_millicores is missing (add it: Price of one millicore "
        f'(a thousandth of a core) per block, such as "1uve".); {LAST_VALID}\n'
        "pricing.yaml:4:3: pricing.cpu_milicores: unknown key cpu_milicores (did you mean cpu_millicores?); "
        f"{LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a price in another denomination",
        files.OTHER_DENOMINATION,
        'pricing.yaml:7:8: pricing.gpu: "20000uact" is in uact (only uve is accepted, convert to uve); '
        f"{LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "the sheet's own file",
        files.sheets_own_file,
        "pricing.yaml:2:1: warning: pricing: at these prices everything costs 1uve per block, up to 64 cores "
        "with 256 GiB (bids are rounded up to whole uve; raise the prices)",
        "everything: it is valid, and bids are made at 1uve",
    ),
    Case(
        "an alias bomb",
        files.ALIAS_BOMB,
        f"config.yaml:1:4: the anchor &a is not supported (write the value out); {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "two pull requests that conflict",
        files.CONFLICT,
        "pricing.yaml:7:1: unresolved merge conflict (resolve it and remove the conflict markers); "
        f"{LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "YAML with a tab",
        files.TAB,
        f"config.yaml:3:1: tabs are not allowed (use spaces); {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a file that is not UTF-8",
        files.NOT_UTF_8,
        f"config.yaml:1:18: byte 0xfc is not UTF-8 (save the file as UTF-8); {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a file renamed",
        files.renamed,
        "NoWorkloadFile: its lease is active; commit {first} to run it\n"
        "FileFaulty: workloads/web.yaml:2:1: lease: the file of this lease must be named {id}.yaml "
        "(rename it, or remove it if that file exists)",
        "what runs for the lease, bids",
    ),
    Case(
        "two files for one lease",
        files.doubled,
        "workloads/copy.yaml:2:1: lease: the file of this lease must be named {first} "
        "(rename it, or remove it if that file exists)",
        "the file with the right name, every other file, bids",
    ),
    Case(
        "line ends of Windows and a byte order mark",
        files.of_windows,
        "",
        "everything: it is valid and means the same",
    ),
    Case(
        "a 25,000-deep document",
        files.DEEP,
        f"{{first}}:1:33: the nesting exceeds 32 levels (reduce the nesting); {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a file of 5 MB",
        files.BIG,
        f"{{first}}: the file has 5000000 bytes; at most 1048576 are read: split it; {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a symlink out of the repository",
        files.LINK,
        f"{{first}}: a symbolic link, which is not followed; put a plain file there; {LAST_VALID}",
        A_FILES_REST,
    ),
    Case(
        "a branch rewritten under us",
        repositories.REWRITTEN,
        "commit {newest} does not descend from the applied commit: history was rewritten; "
        "restore the branch, or set allow_rewrite in the host file",
        "the last commit applied, bids at its prices",
    ),
    Case(
        "a repository that is empty",
        repositories.EMPTY,
        "{repository} is empty; push the branch main to it",
        "the commit read last, bids at its prices",
    ),
    Case(
        "a repository that is gone",
        repositories.GONE,
        "there is no repository at {repository}; check repository.url in the host file "
        "(git: '{repository}' does not appear to be a git repository)",
        "the commit read last, bids at its prices",
    ),
    Case(
        "a chain that is down",
        chains.DOWN,
        f"{{rpc}} does not answer: [Errno 111] Connection refused; check that the node runs and "
        f"is reachable; {UNSEEN}",
        ON_THE_CLUSTER,
    ),
    Case(
        "a chain that is behind",
        chains.BEHIND,
        f"{{rpc}} is at height {{height}}, behind height {{seen}} seen before; wait until it is synced, "
        f"or name another node in the host file; {UNSEEN}",
        ON_THE_CLUSTER,
    ),
    Case(
        "a chain of another id",
        chains.OTHER,
        "{rpc} is on chain virtengine-other-1, not virtengine-devnet-1; correct chain.chain_id or the node's "
        f"address; {UNSEEN}",
        ON_THE_CLUSTER,
    ),
    Case(
        "a provider that is not registered",
        chains.not_registered,
        "{us} is not registered as a provider on virtengine-devnet-1; this chain accepts no registration by "
        "transaction; request a genesis record",
        "the cluster is prepared, status told",
    ),
    Case(
        "a withdrawal that a gate refuses",
        chains.gated,
        "failed once, last: MFA required for medium_withdrawal. Required factors: fido2 or totp: MFA "
        "verification required; requires identity or multi-factor verification "
        "by the account owner",
        "usage is recorded and settled",
    ),
    Case(
        "a key that is missing",
        machines.key_missing,
        "{keyring} has no key 'providr'; use one of alice, bob, charlie, provider, rival, third, validator, "
        "or add it with provider-daemon keys add",
        "the keyring's other keys",
    ),
    Case(
        "a key that is locked",
        machines.key_locked,
        "the passphrase of {keyring} is wrong; provide the one it was created with",
        "the keyring, byte for byte, and its passphrase",
    ),
    Case(
        "a cluster that refuses",
        clusters.REFUSES,
        "the cluster at {cluster}: answered 503: simulated fault: 503; it is retried; see what its API "
        "server lacks: kubectl get --raw '/readyz?verbose'",
        "earnings are drawn; workloads keep their phase",
    ),
    Case(
        "a cluster that times out",
        clusters.SILENT,
        "the cluster at {cluster}: no response to GET {path}: Read timed out. (read timeout=1.0);"
        " see that its API server runs and is reachable: kubectl "
        "cluster-info",
        "earnings are drawn; workloads keep their phase",
    ),
    Case(
        "a port that is taken",
        machines.port_taken,
        "the metrics cannot listen on 127.0.0.1:{port}: Address already in use; stop what uses the port "
        "(ss -ltnp shows it), or set listen.metrics in the host file",
        "the other port is given back, and served later",
    ),
    Case(
        "a journal that another daemon holds",
        machines.journal_held,
        "another daemon is using {state} ({holder}); stop it first, or give this one another state directory "
        "in its host file",
        "the other daemon, and readers",
    ),
]


@pytest.fixture(scope="module")
def mid_run(tmp_path_factory: pytest.TempPathFactory) -> WorldState:
    """A world in the middle of the story: two workloads run, one of them billed by usage."""
    return middle(tmp_path_factory.mktemp("middle"))


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_bad_input_has_an_exact_message_and_the_rest_continues(
    case: Case, mid_run: WorldState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path, mid_run, monkeypatch)
    assert case.run(workspace) == case.message.format(**workspace.values)
