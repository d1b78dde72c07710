"""containers.podman makes the containers where it is installed; what it does not make, we do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.ansible.answers import WorkAnswer
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.ansible.host_spec import applying, removing, work_order
from reconciler.adapters.ansible.runs import Play, Runs
from reconciler.devnet.plain_images import build, fit
from reconciler.values.desired import Env
from reconciler.values.hosts import ContainerEngine
from tests.adapters.ansible.makers import hosts, order
from tests.adapters.ansible.standin import stage_of
from tests.adapters.ansible.test_runs import ODD, Stand
from tests.contracts.adapter_worlds import service, workload

PATH = "ansible_collections/containers/podman"
PLAYED = """
import json
from ansible.module_utils.basic import AnsibleModule
KINDS = {{"label": "dict", "env": "dict", "log_opt": "dict", "etc_hosts": "dict", "tmpfs": "dict",
         "cap_drop": "list", "cap_add": "list", "security_opt": "list", "network": "list",
         "network_aliases": "list", "publish": "list", "volume": "list", "command": "raw",
         "stop_timeout": "int", "read_only": "bool"}}
NAMES = "name image state memory memory_swap cpus pids_limit restart_policy ip log_driver entrypoint".split()
spec = {{**{{name: {{"type": "str"}} for name in NAMES}}, **{{n: {{"type": t}} for n, t in KINDS.items()}}}}
module = AnsibleModule(spec)
with open({told!r}, "a") as file:
    file.write(json.dumps(module.params) + "\\n")
module.fail_json(msg="no more than that is played")
"""


def collections(home: Path, text: str) -> None:
    """A home with a collection that keeps what it is told, and makes nothing."""
    modules = home / ".ansible" / "collections" / PATH / "plugins" / "modules"
    modules.mkdir(parents=True)
    (modules / "podman_container.py").write_text(text)


def test_it_is_handed_what_tenants_write_as_it_is_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path)
    told = tmp_path / "told"
    collections(tmp_path / "home", PLAYED.format(told=str(told)))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    envs = tuple(Env(name, value) for name, value in ODD.items())
    wanted = workload(1, service(env=envs, args=("{{ 1 }}", "$HOME", "", "~root")))

    answer = stand.work(order(wanted))

    assert answer.state == "ok", answer
    [asked] = [json.loads(line) for line in told.read_text().splitlines()]
    assert asked["env"] == ODD
    assert asked["command"] == ["{{ 1 }}", "$HOME", "", "~root"]
    assert (asked["restart_policy"], asked["security_opt"]) == ("no", ["no-new-privileges"])
    assert asked["label"]["virtengine.com/workload"] == wanted.id
    assert stage_of(stand.kept).containers.keys() == {f"web-{wanted.id}-0"}, "made by us in its place"


def _is_installed() -> bool:
    homes = (Path.home() / ".ansible" / "collections", Path("/usr/share/ansible/collections"))
    return any((home / PATH).is_dir() for home in homes)


@pytest.mark.live
def test_the_real_one_makes_what_we_would_make(tmp_path: Path) -> None:
    if shutil.which("podman") is None or not _is_installed():
        pytest.skip("needs podman and containers.podman: ansible-galaxy collection install containers.podman")
    fit(tmp_path)
    build("registry.example/web:1")
    settings = hosts(storage=str(tmp_path / "records"))
    runs = Runs(settings, HostCredentials(), tmp_path / "scratch")
    envs = tuple(Env(name, value) for name, value in ODD.items())
    wanted = workload(910, service(count=2, env=envs), service("db"))

    def work(*parts: object) -> WorkAnswer:
        asked = work_order(parts, ContainerEngine.PODMAN, settings)  # type: ignore[arg-type]  # parts of orders
        answer = runs.run(Play("work", settings.groups[0], {"one": asked}, 120))["one"]
        return WorkAnswer(json.loads(answer.answer)["workloads"])

    try:
        work(applying(order(wanted)))
        words = ["podman", "container", "inspect", f"web-{wanted.id}-0"]
        [found] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        assert found["Config"]["CreateCommand"][:3] == ["podman", "container", "create"], "by the collection"
        lines = {f"{name}={value}".replace("\r\n", "\n") for name, value in ODD.items()}
        assert lines <= set(found["Config"]["Env"]), "podman itself knows one end of a line"
        again = json.loads(json.dumps(work(applying(order(wanted))).workloads[wanted.id]))
        assert again["differences"] == []
    finally:
        work(removing(wanted.id))
