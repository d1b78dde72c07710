"""`provider-daemon`: its commands and their exit codes: 0 done, 1 error, 2 changes (plan), 64 usage error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reconciler.cli.errors import CliError, error_message
from reconciler.cli.host.hardening import harden_process
from reconciler.cli.lazy import USAGE_ERROR, LazyGroup

COMMANDS = {
    "init": ("reconciler.cli.repository.init:init", "make a state repository from the template"),
    "validate": (
        "reconciler.cli.repository.validate:validate",
        "check a state repository, errors with file:line:column",
    ),
    "migrate": (
        "reconciler.cli.repository.migrate:migrate",
        "rewrite files in older forms into the newest form",
    ),
    "plan": (
        "reconciler.cli.planning.plan:plan",
        "show the actions and holds of the next cycle",
    ),
    "review": ("reconciler.cli.forge.review:review", "check and plan a pull request (for CI)"),
    "price": ("reconciler.cli.planning.price:price", "show the price of an order, line by line"),
    "run": ("reconciler.cli.host.run:run", "reconcile until stopped (--once: until nothing is left to do)"),
    "status": ("reconciler.cli.status.command:status", "show the running daemon's last cycle (--watch)"),
    "explain": (
        "reconciler.cli.status.explain:explain",
        "explain the state of an order, lease, workload or transaction",
    ),
    "get": ("reconciler.cli.status.get:get", "list workloads, leases, bids, orders, holds or manifests"),
    "events": ("reconciler.cli.history.events:events", "list events, newest last"),
    "log": ("reconciler.cli.history.log:log", "list commits: author, when applied, and effects"),
    "ledger": ("reconciler.cli.history.ledger:ledger", "list changes of the wallet's balance, or sums"),
    "journal": ("reconciler.cli.history.journal:journal", "list or show signed transactions"),
    "history": (
        "reconciler.cli.history.revisions:history",
        "list the revisions, applied or not, and why",
    ),
    "approve": (
        "reconciler.cli.planning.approve:approve",
        "approve a change held by a limit, by its digest",
    ),
    "reconcile": ("reconciler.cli.host.reconcile:reconcile", "read the repository and run a cycle now"),
    "suspend": ("reconciler.cli.repository.suspend:suspend", "stop transactions, by a commit with a reason"),
    "resume": ("reconciler.cli.repository.suspend:resume", "end a suspension, by a commit"),
    "drain": ("reconciler.cli.host.stop_files:drain", "stop bidding from the next cycle on; leases continue"),
    "stop-spending": (
        "reconciler.cli.host.stop_files:stop_spending",
        "stop signing and sending within a cycle, without git, chain or API",
    ),
    "forget-height": (
        "reconciler.cli.host.forget_height:forget_height",
        "discard a false height that a node reported, and read the chain again",
    ),
    "keys": ("reconciler.cli.host.keys:keys", "add, show and list keys of the keyring"),
    "doctor": (
        "reconciler.cli.doctor.command:doctor",
        "check the daemon's environment and name fixes",
    ),
    "backup": (
        "reconciler.cli.host.backup:backup",
        "write journal, keyring, host file and placements into one file",
    ),
    "restore": ("reconciler.cli.host.restore:restore", "restore a backup"),
    "seal": ("reconciler.cli.host.seal:seal", "seal a value for the repository, or make an identity"),
    "unseal": ("reconciler.cli.host.seal:unseal", "print the plain value of a sealed one"),
    "install-service": (
        "reconciler.cli.host.service:install_service",
        "write the systemd unit and its user",
    ),
    "completion": ("reconciler.cli.completion:completion", "print a completion script: bash, zsh or fish"),
    "forge": (
        "reconciler.cli.forge.command:forge",
        "comment on a pull request, set a commit's status (for CI)",
    ),
    "workload": ("reconciler.cli.workload.command:workload", "make the workload file of a lease"),
    "schemas": (
        "reconciler.cli.repository.init:schemas",
        "print or write the JSON Schemas of the repository's files",
    ),
    "demo": ("reconciler.cli.devnet.demo:demo", "run a demonstration on a simulated market"),
    "devnet": ("reconciler.cli.devnet.command:devnet", "a SIMULATED market in one process, and its tenants"),
}


class DaemonGroup(LazyGroup):
    """The commands of `provider-daemon`."""

    commands_by_name = COMMANDS


@click.group(cls=DaemonGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="virtengine-provider-gitops")
def provider_daemon() -> None:
    """A VirtEngine provider's whole operation, reconciled from a git repository."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    harden_process()
    sys.exit(run_command(provider_daemon, arguments))


def run_command(command: click.Command, arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; errors are printed on standard error."""
    try:
        code = command.main(args=None if arguments is None else list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        error.show()
        return USAGE_ERROR
    except click.ClickException as error:
        error.show()
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:
        return 0
    except CliError as error:
        click.echo(str(error), err=True)
        return 1
    except Exception as error:
        if (message := error_message(error)) is None:
            raise
        click.echo(message, err=True)
        return 1
