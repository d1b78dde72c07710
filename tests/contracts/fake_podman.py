"""A simulated podman, built from recorded output of a real one (recorded/podman-4.3.1.json)."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

from reconciler.adapters.ansible.plays.module_utils.provider_engine import Engine, EngineError

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recorded" / "podman-4.3.1.json").read_text(encoding="utf-8")
)
ABSENT = "registry.example/missing:1"
IMAGES = ("web:1", "web:2", "unready:1", "crash:1", "evil:1")
Options = dict[str, list[str]]


class FakeHost:
    """The objects of one host: containers, networks, volumes, images. Runs share it under its lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.containers: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, str]] = {}
        self.images = {f"registry.example/{name}": deepcopy(RECORDED["image"]) for name in IMAGES}
        self.events: list[dict[str, Any]] = []
        self.commands: list[list[str]] = []

    def record(self, action: str, found: dict[str, Any]) -> None:
        event = deepcopy(RECORDED["event"])
        event |= {"Name": found["Name"], "Status": action, "Image": found["ImageName"]}
        event |= {"Time": time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime())}
        event["Attributes"] = found["Config"]["Labels"]
        self.events.append(event)


class FakePodman(Engine):
    """Implements the commands and options that we use; others are errors."""

    def __init__(self, host: FakeHost) -> None:
        super().__init__("podman", 60)
        self.host = host

    def output(self, step: str, *words: str, seconds: float = 60) -> bytes:
        with self.host.lock:
            self.host.commands.append(list(words))
            verb = "_".join(
                words[:2] if words[0] in ("container", "image", "network", "volume") else words[:1]
            )
            rest = list(words[2:] if "_" in verb else words[1:])
            try:
                return str(getattr(self, f"do_{verb}")(rest)).encode()
            except RefusedError as why:
                raise EngineError(step, str(why)) from why

    def do_ps(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter",))
        found = (c for c in self.host.containers.values() if _is_selected(c["Config"]["Labels"], options))
        return "\n".join(c["Id"] for c in found)

    def do_container_inspect(self, words: list[str]) -> str:
        return json.dumps([self._container(name) for name in words])

    def do_image_inspect(self, words: list[str]) -> str:
        if words[0] not in self.host.images:
            raise _recorded("no image", "registry.example/missing:1", words[0])
        return json.dumps([self.host.images[words[0]]])

    def do_pull(self, words: list[str]) -> str:
        raise _recorded("pull", ABSENT, words[-1])

    def do_network_ls(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter", "--format"))
        return "\n".join(n for n, each in self.host.networks.items() if _is_selected(each["labels"], options))

    def do_network_inspect(self, words: list[str]) -> str:
        if words[0] not in self.host.networks:
            raise _recorded("no network", "nosuch", words[0])
        return json.dumps([self.host.networks[words[0]]])

    def do_network_create(self, words: list[str]) -> str:
        [name], options = _split(words)
        subnet = f"10.89.{len(self.host.networks)}"
        made = deepcopy(RECORDED["network"]) | {"name": name, "labels": _labels(options)}
        made["subnets"] = [{"gateway": f"{subnet}.1", "subnet": f"{subnet}.0/24"}]
        self.host.networks[name] = made
        return name

    def do_network_rm(self, words: list[str]) -> str:
        del self.host.networks[words[0]]
        return words[0]

    def do_volume_ls(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter", "--format"))
        return "\n".join(n for n, labels in self.host.volumes.items() if _is_selected(labels, options))

    def do_volume_create(self, words: list[str]) -> str:
        [name], options = _split(words)
        self.host.volumes[name] = _labels(options)
        return name

    def do_volume_inspect(self, words: list[str]) -> str:
        return json.dumps([{"Name": name, "Labels": self.host.volumes[name]} for name in words])

    def do_volume_rm(self, words: list[str]) -> str:
        del self.host.volumes[words[0]]
        return words[0]

    def do_create(self, words: list[str]) -> str:
        [image, *arguments], options = _split(words)
        [name] = options["--name"]
        if name in self.host.containers:
            taken = RECORDED["container"]["Name"]
            raise _recorded("name taken", taken, name)
        if image not in self.host.images:
            raise _recorded("pull", ABSENT, image)
        digest = hashlib.sha256(f"{name}{time.monotonic_ns()}".encode()).hexdigest()
        found = deepcopy(RECORDED["container"]) | {"Id": digest, "Name": name, "ImageName": image}
        found["Config"] |= {"Image": image, "Labels": _labels(options), "Cmd": arguments}
        lines = [
            line for path in options.get("--env-file", []) for line in Path(path).read_text().splitlines()
        ]
        found["Config"]["Env"] = [*options.get("--env", []), *lines, f"HOSTNAME={digest[:12]}"]
        found["HostConfig"] |= {
            "Memory": int(options.get("--memory", ["0"])[0]),
            "NanoCpus": int(float(options.get("--cpus", ["0"])[0]) * 1_000_000_000),
            "Privileged": "--privileged" in options,
        }
        networks: dict[str, Any] = {each: {} for each in options.get("--network", [])}
        found["NetworkSettings"] = {"Networks": networks, "Ports": options.get("--publish", [])}
        found["State"] |= {"Status": "created", "Running": False, "ExitCode": 0}
        self.host.containers[name] = found
        self.host.record("create", found)
        return digest

    def do_start(self, words: list[str]) -> str:
        found = self._container(words[-1])
        for port in found["NetworkSettings"]["Ports"]:
            if any(port in each["NetworkSettings"]["Ports"] for each in self._up() if each is not found):
                raise _recorded("port taken", "127.0.0.1:18082", port.rpartition(":")[0])
        crashes = "/crash:" in found["ImageName"]
        found["State"] |= {
            "Status": "exited" if crashes else "running",
            "Running": not crashes,
            "ExitCode": int(crashes),
            "Health": {"Status": "starting" if "/unready:" in found["ImageName"] else ""},
        }
        self.host.record("start", found)
        return words[-1]

    def do_stop(self, words: list[str]) -> str:
        return self._end(words[-1], 0, "stop")

    def do_kill(self, words: list[str]) -> str:
        return self._end(words[-1], 137, "kill")

    def do_rm(self, words: list[str]) -> str:
        found = self._container(words[-1])
        del self.host.containers[found["Name"]]
        self.host.record("remove", found)
        return words[-1]

    def do_network_disconnect(self, words: list[str]) -> str:
        self._container(words[-1])["NetworkSettings"]["Networks"].pop(words[-2])
        return ""

    def do_logs(self, words: list[str]) -> str:
        [name], options = _split(words, valued=("--tail",))
        self._container(name)
        lines = ['arg 0 "/web"', "listening"]
        return "".join(f"{line}\n" for line in lines[-int(options["--tail"][0]) :])

    def do_stats(self, words: list[str]) -> str:
        names, _ = _split(words, valued=("--format",))
        return json.dumps([RECORDED["stats"] | {"name": name} for name in names])

    def do_events(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter", "--since", "--format"))
        found = [each for each in self.host.events if _is_selected(each["Attributes"], options)]
        return "\n".join(json.dumps(each) for each in found)

    def _up(self) -> list[dict[str, Any]]:
        return [each for each in self.host.containers.values() if each["State"]["Status"] == "running"]

    def _container(self, name: str) -> dict[str, Any]:
        for each in self.host.containers.values():
            if name in (each["Name"], each["Id"]):
                return each
        raise _recorded("no container", "nosuch", name)

    def _end(self, name: str, code: int, action: str) -> str:
        found = self._container(name)
        found["State"] |= {"Status": "exited", "Running": False, "ExitCode": code}
        self.host.record(action, found)
        return name


class RefusedError(Exception):
    """Recorded error output."""


def _recorded(kind: str, there: str, here: str) -> RefusedError:
    """A recorded error, about another object."""
    return RefusedError(RECORDED["errors"][kind]["stderr"].replace(there, here))


def _split(words: list[str], valued: tuple[str, ...] = ()) -> tuple[list[str], Options]:
    """Arguments and options; the value of an option follows `=` or, for `valued` ones, is the next word."""
    options: Options = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.pop(0).partition("=")
        options.setdefault(name, []).append(value if equals or name not in valued else rest.pop(0))
    return rest, options


def _labels(options: Options) -> dict[str, str]:
    pairs = (each.partition("=") for each in options.get("--label", []))
    return {name: value for name, _, value in pairs}


def _is_selected(labels: dict[str, str], options: Options) -> bool:
    for each in options.get("--filter", []):
        name, _, value = each.removeprefix("label=").partition("=")
        if labels.get(name) != value:
            return False
    return True
