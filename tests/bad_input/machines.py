"""The daemon's own machine: keys, ports, and a locked journal."""

from __future__ import annotations

import shutil
import socket

import pytest

from reconciler.api.server import ServeError
from reconciler.chain.keyring import KeyLockedError, KeyMissingError, open_keyring
from reconciler.journal.errors import JournalLockedError
from reconciler.journal.lock import holder
from reconciler.journal.opening import open_journal, open_records
from reconciler.values.listen_address import ListenAddress
from tests.api.fake_sources import serve
from tests.api.http_client import http_request
from tests.bad_input.case import Workspace
from tests.chain.recordings import VECTORS
from tests.simulation.outside import Outside
from tests.simulation.sim import started

RECORDED = VECTORS / "keyrings"
PASSPHRASE = "correct horse"


def key_missing(workspace: Workspace) -> str:
    """The host file names a key that does not exist."""
    workspace.values["keyring"] = RECORDED / "keyring-test"
    keyring = open_keyring(RECORDED / "keyring-test")
    with pytest.raises(KeyMissingError) as caught:
        keyring.key("providr")
    assert keyring.key("provider").address == keyring.show("provider").address
    return str(caught.value)


def key_locked(workspace: Workspace) -> str:
    """A keyring of the kind `file` without its passphrase."""
    directory = workspace.values["keyring"] = workspace.path / "keyring-file"
    shutil.copytree(RECORDED / "keyring-file", directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(KeyLockedError) as caught:
        open_keyring(directory, "wrong horse")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert open_keyring(directory, PASSPHRASE).key("provider")
    return str(caught.value)


def port_taken(workspace: Workspace) -> str:
    """Another process listens on the metrics port."""
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as probe:
        api, metrics = (ListenAddress("127.0.0.1", each.getsockname()[1]) for each in (probe, other))
        workspace.values["port"] = metrics.port
        probe.close()
        with pytest.raises(ServeError) as caught:
            serve(api=api, metrics=metrics)
    free = serve(api=api, metrics=metrics)
    assert http_request(free.ports.api, "/healthz").code == 200
    free.stop()
    return str(caught.value)


def journal_held(workspace: Workspace) -> str:
    """A second daemon on one state directory."""
    with started(Outside.at(workspace.mid_run, workspace.path / "world")) as sim:
        workspace.values.update({"state": sim.outside.state, "holder": holder(sim.outside.state)})
        with pytest.raises(JournalLockedError) as caught:
            open_journal(sim.outside.state)
        sim.blocks(1)
        assert sim.last.planned.plan.revision
        records = open_records(sim.outside.state)
        assert records.published()
        records.close()
    return str(caught.value)
