"""Modules without a test file of their own name: which file tests them, and why that one.

A pattern is below `reconciler/`; a module that has got its own test file may stand here all the same.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """Patterns of modules that are tested by another file (or folder) of tests."""

    tests: str
    reason: str
    modules: tuple[str, ...]


def _of(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names.split())


ELSEWHERE = (
    Elsewhere(
        "tests/test_settings.py",
        "what the host file grants, as it is read",
        _of("documents", "host_adapters_model"),
    ),
    Elsewhere("tests/planning/test_adapter_grants.py", "what is granted", _of("values", "grants")),
    Elsewhere("tests/e2e", "the program as a process: what it prints and does", ("__main__.py",)),
    Elsewhere(
        "tests/e2e/test_demo.py",
        "commands over the whole program: run as processes on a devnet",
        _of("cli", "demo devnet run"),
    ),
    Elsewhere("tests/e2e/test_tenant.py", "a tenant needs a market", _of("cli", "tenant")),
    Elsewhere("tests/cli/test_explain.py", "parts of one answer", _of("cli", "explain_case explain_live")),
    Elsewhere("tests/repo/test_read.py", "how files are read", _of("repo", "batch")),
    Elsewhere("tests/cli/test_status.py", "what it prints", _of("cli", "status_page")),
    Elsewhere("tests/cli/test_get.py", "how lists are printed", _of("reports", "columns")),
    Elsewhere(
        "tests/cli/test_plan.py",
        "one answer about a clone",
        _of("cli", "clones comparison plan_live preview"),
    ),
    Elsewhere(
        "tests/ci/test_review.py",
        "the review as CI runs it",
        _of("cli", "review") + _of("reports", "review"),
    ),
    Elsewhere("tests/cli/test_ci_files.py", "a line of what is installed", _of("cli", "origin")),
    Elsewhere("tests/cli/test_price.py", "what it prints", _of("reports", "bill")),
    Elsewhere(
        "tests/planning/test_preview.py",
        "parts of one preview, told by what it says",
        _of("planning", "alarms quoting") + _of("values", "preview outlook"),
    ),
    Elsewhere("tests/forge/test_wire.py", "what a forge takes of it", _of("values", "commit_state")),
    Elsewhere("tests/reports/test_preview.py", "forms of one report", _of("reports", "preview_*")),
    Elsewhere("tests/cli/test_events.py", "how events are printed", _of("cli", "told_events")),
    Elsewhere("tests/cli/test_log.py", "from a clone and on the host", _of("cli", "histories past_place")),
    Elsewhere("tests/cli/test_suspend.py", "the edit of a commit", _of("cli", "desired_edit")),
    Elsewhere("tests/cli/test_logs.py", "secrets are taken out of what is logged", _of("cli", "secrets")),
    Elsewhere(
        "tests/cli/test_main.py",
        "parts of every command",
        _of("cli", "asking faults flags lazy options findings"),
    ),
    Elsewhere("tests/cli/test_doctor.py", "one report of many findings", _of("cli", "doctor_*")),
    Elsewhere(
        "tests/cli/test_virtengine_lists.py",
        "one command line, held to what the chain's own client printed",
        ("cli/virtengine*.py",),
    ),
    Elsewhere(
        "tests/test_settings.py", "read through settings", _of("documents", "host host_model node_model")
    ),
    Elsewhere(
        "tests/documents/test_schemas.py",
        "models accept and refuse what their schemas do, kind by kind",
        _of("documents", "adapter_models config_model pricing_model workload_model model"),
    ),
    Elsewhere(
        "tests/documents/test_desired.py",
        "models become values in a commit",
        _of("documents", "convert faults"),
    ),
    Elsewhere(
        "tests/contracts/test_adapter.py",
        "what runs on a host is held to the contract, played and real",
        ("adapters/ansible/plays/*.py", *_of("adapters/ansible", "answers asking estate")),
    ),
    Elsewhere("tests/documents/test_hosts.py", "read from a file", _of("values", "hosts")),
    Elsewhere("tests/adapters/ansible/test_runs.py", "a run's program", _of("adapters/ansible", "worker")),
    Elsewhere(
        "tests/adapters/kubernetes/test_adapter.py",
        "parts of the adapter, shown on a simulated cluster",
        _of("adapters/kubernetes", "logs sight"),
    ),
    Elsewhere(
        "tests/adapters/kubernetes/test_views.py",
        "the form of what is decoded there",
        _of("adapters/kubernetes", "objects"),
    ),
    Elsewhere(
        "tests/chain/test_wire.py",
        "the two ways of each message, held to recorded bytes",
        ("chain/wire_*.py",),
    ),
    Elsewhere(
        "tests/chain/test_grpc_node.py",
        "what a node is asked",
        _of("chain", "stubs node_errors queries rules"),
    ),
    Elsewhere(
        "tests/chain/test_client.py",
        "parts of one look",
        _of("chain", "block_reader full_view settlement_view surroundings"),
    ),
    Elsewhere("tests/forge/test_exchange.py", "what is raised there", _of("forge", "faults")),
    Elsewhere(
        "tests/devnet/chain/test_replay.py",
        "the simulated chain is held to a real node as a whole: every recorded transcript is replayed",
        ("devnet/chain/*.py",),
    ),
    Elsewhere(
        "tests/devnet/test_story.py",
        "the story as a whole, with each step's effect taken away in turn",
        (*_of("devnet", "books stage steps"), "devnet/story_*.py"),
    ),
    Elsewhere("tests/devnet/test_eyes.py", "four ways of looking", ("devnet/eyes_*.py",)),
    Elsewhere(
        "tests/devnet/test_market.py", "tenants on a market", _of("devnet", "node tenant trading faults")
    ),
    Elsewhere("tests/devnet/test_furnishing.py", "git as furnishing uses it", _of("devnet", "plain_git")),
    Elsewhere(
        "tests/journal/test_opening.py",
        "what opening does",
        _of("journal", "database faults lock migrations"),
    ),
    Elsewhere("tests/journal/test_decisions.py", "rows of decisions", _of("journal", "outcomes rows totals")),
    Elsewhere("tests/planning/test_bids.py", "parts of a bid", _of("planning", "capacity eligibility purse")),
    Elsewhere("tests/planning/test_pricing.py", "what fees make of a price", _of("planning", "fees")),
    Elsewhere(
        "tests/planning/test_properties.py",
        "whole plans, in every small world",
        _of("planning", "planner situation"),
    ),
    Elsewhere("tests/test_scenarios.py", "whole plans in an operator's words", _of("planning", "funding")),
    Elsewhere("tests/planning/test_usage.py", "what is billed was measured", _of("planning", "measuring")),
    Elsewhere(
        "tests/simulation", "memory over many cycles and kills", _of("planning", "ledger recollection")
    ),
    Elsewhere(
        "tests/reports/test_plan.py",
        "three forms of one plan",
        _of("reports", "grouping plan_json plan_text"),
    ),
    Elsewhere(
        "tests/serve/test_api.py",
        "asked over HTTP, as its readers ask",
        (
            *_of("serve", "bell board desk doors hooks press readiness reads replies starting table"),
            "serve/answers*.py",
            "serve/shapes*.py",
        ),
    ),
    Elsewhere("tests/serve/test_connections.py", "seats at a real socket", _of("serve", "acceptor")),
    Elsewhere("tests/serve/test_metrics.py", "read as Prometheus does", ("serve/metrics_*.py",)),
    Elsewhere(
        "tests/planning",
        "values without behaviour of their own",
        _of(
            "values",
            "approvals desired funding inspection intents judged limits memory observed outcomes plans "
            "readings records repository snapshot status",
        ),
    ),
    Elsewhere("tests/contracts", "Protocols: what stands behind them is tested", ("ports.py",)),
)
