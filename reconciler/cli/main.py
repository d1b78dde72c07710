"""`provider-daemon`: argv to one call; exit codes 0 done, 1 an error told in a sentence, 2 changes (plan), 64
wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reconciler.cli.errors import CliError, sentence_of
from reconciler.cli.host.hardening import harden_process
from reconciler.cli.lazy import USAGE_ERROR, LazyGroup

PLACES = {
    "init": ("reconciler.cli.repository.init:init", "make a state repository from the template"),
    "validate": (
        "reconciler.cli.repository.validate:validate",
        "check a state repository, errors with file:line:column",
    ),
    "migrate": (
        "reconciler.cli.repository.migrate:migrate",
        "rewrite files of an older form into the newest",
    ),
    "plan": (
        "reconciler.cli.planning.plan:plan",
        "show what the next cycle would do, and what is held and why",
    ),
    "review": ("reconciler.cli.forge.review:review", "check and plan a pull request (for CI)"),
    "price": ("reconciler.cli.planning.price:price", "what an order costs at our prices, line by line"),
    "run": ("reconciler.cli.host.run:run", "reconcile until stopped (--once: until nothing is left to do)"),
    "status": ("reconciler.cli.status.command:status", "show the running daemon's last cycle (--watch)"),
    "explain": (
        "reconciler.cli.status.explain:explain",
        "say why: an order, a lease, a workload, a transaction",
    ),
    "get": ("reconciler.cli.status.get:get", "list workloads, leases, bids, orders or holds"),
    "events": ("reconciler.cli.history.events:events", "show what happened, newest last"),
    "log": ("reconciler.cli.history.log:log", "who asked for what, when it was applied, and what it did"),
    "history": (
        "reconciler.cli.history.revisions:history",
        "the revisions that were applied, or were not, and why",
    ),
    "approve": (
        "reconciler.cli.planning.approve:approve",
        "let pass what a limit holds, by the hold's digest",
    ),
    "reconcile": ("reconciler.cli.host.reconcile:reconcile", "look at the repository and run a cycle, now"),
    "suspend": ("reconciler.cli.repository.suspend:suspend", "stop all spending by a commit that says why"),
    "resume": ("reconciler.cli.repository.suspend:resume", "end what suspend began"),
    "drain": ("reconciler.cli.host.drain:drain", "bid on nothing from the next cycle on; leases go on"),
    "stop-spending": (
        "reconciler.cli.host.spending:stop_spending",
        "stop all spending within a cycle, without git, chain or API",
    ),
    "forget-height": (
        "reconciler.cli.host.forget_height:forget_height",
        "forget a false height that a node showed, and read the chain anew",
    ),
    "keys": ("reconciler.cli.host.keys:keys", "add, show and list keys of the keyring"),
    "doctor": (
        "reconciler.cli.doctor.command:doctor",
        "check everything around the daemon, and say what to do",
    ),
    "backup": ("reconciler.cli.host.backup:backup", "write journal, keyring and host file into one file"),
    "restore": ("reconciler.cli.host.restore:restore", "put back what a backup holds"),
    "install-service": (
        "reconciler.cli.host.service:install_service",
        "install the systemd service provider-daemon.service",
    ),
    "completion": ("reconciler.cli.completion:completion", "print a completion script: bash, zsh or fish"),
    "forge": (
        "reconciler.cli.forge.command:forge",
        "comment on a pull request, set a commit's state (for CI)",
    ),
    "schemas": (
        "reconciler.cli.repository.init:schemas",
        "print or write the JSON Schemas of the repository's files",
    ),
    "demo": ("reconciler.cli.devnet.demo:demo", "play the whole story on a simulated market"),
    "devnet": ("reconciler.cli.devnet.command:devnet", "a SIMULATED market in one process, and its tenants"),
}


class DaemonGroup(LazyGroup):
    """The commands of `provider-daemon`."""

    places = PLACES


@click.group(cls=DaemonGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="virtengine-provider-gitops")
def provider_daemon() -> None:
    """A VirtEngine provider's whole operation, reconciled from a git repository."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    harden_process()
    sys.exit(run_command(provider_daemon, arguments))


def run_command(command: click.Command, arguments: Sequence[str] | None) -> int:
    """The exit code of a command; errors become sentences on standard error."""
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
    except CliError as told:
        click.echo(str(told), err=True)
        return 1
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        click.echo(sentence, err=True)
        return 1
