"""A podman that is played, from what a real one printed (recorded/podman-4.3.1.json), for one host."""

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


class Stage:
    """What is on one host: containers, networks, volumes, images. Thread-safe, as several runs may come."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.containers: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, str]] = {}
        self.images = {f"registry.example/{name}": deepcopy(RECORDED["image"]) for name in IMAGES}
        self.events: list[dict[str, Any]] = []
        self.commands: list[list[str]] = []

    def note(self, action: str, found: dict[str, Any]) -> None:
        event = deepcopy(RECORDED["event"])
        event |= {"Name": found["Name"], "Status": action, "Image": found["ImageName"]}
        event |= {"Time": time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime())}
        event["Attributes"] = found["Config"]["Labels"]
        self.events.append(event)


class FakePodman(Engine):
    """Knows the commands that we use, in the words in which we use them; anything else is an error."""

    def __init__(self, stage: Stage) -> None:
        super().__init__("podman", 60)
        self.stage = stage

    def output(self, step: str, *words: str, seconds: float = 60) -> bytes:
        with self.stage.lock:
            self.stage.commands.append(list(words))
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
        found = (c for c in self.stage.containers.values() if _is_selected(c["Config"]["Labels"], options))
        return "\n".join(c["Id"] for c in found)

    def do_container_inspect(self, words: list[str]) -> str:
        return json.dumps([self._container(name) for name in words])

    def do_image_inspect(self, words: list[str]) -> str:
        if words[0] not in self.stage.images:
            raise _recorded("no image", "registry.example/missing:1", words[0])
        return json.dumps([self.stage.images[words[0]]])

    def do_pull(self, words: list[str]) -> str:
        raise _recorded("pull", ABSENT, words[-1])

    def do_network_ls(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter", "--format"))
        return "\n".join(
            n for n, each in self.stage.networks.items() if _is_selected(each["labels"], options)
        )

    def do_network_inspect(self, words: list[str]) -> str:
        if words[0] not in self.stage.networks:
            raise _recorded("no network", "nosuch", words[0])
        return json.dumps([self.stage.networks[words[0]]])

    def do_network_create(self, words: list[str]) -> str:
        [name], options = _split(words)
        subnet = f"10.89.{len(self.stage.networks)}"
        made = deepcopy(RECORDED["network"]) | {"name": name, "labels": _labels(options)}
        made["subnets"] = [{"gateway": f"{subnet}.1", "subnet": f"{subnet}.0/24"}]
        self.stage.networks[name] = made
        return name

    def do_network_rm(self, words: list[str]) -> str:
        del self.stage.networks[words[0]]
        return words[0]

    def do_volume_ls(self, words: list[str]) -> str:
        _, options = _split(words, valued=("--filter", "--format"))
        return "\n".join(n for n, labels in self.stage.volumes.items() if _is_selected(labels, options))

    def do_volume_create(self, words: list[str]) -> str:
        [name], options = _split(words)
        self.stage.volumes[name] = _labels(options)
        return name

    def do_volume_inspect(self, words: list[str]) -> str:
        return json.dumps([{"Name": name, "Labels": self.stage.volumes[name]} for name in words])

    def do_volume_rm(self, words: list[str]) -> str:
        del self.stage.volumes[words[0]]
        return words[0]

    def do_create(self, words: list[str]) -> str:
        [image, *arguments], options = _split(words)
        [name] = options["--name"]
        if name in self.stage.containers:
            taken = RECORDED["container"]["Name"]
            raise _recorded("name taken", taken, name)
        if image not in self.stage.images:
            raise _recorded("pull", ABSENT, image)
        mark = hashlib.sha256(f"{name}{time.monotonic_ns()}".encode()).hexdigest()
        found = deepcopy(RECORDED["container"]) | {"Id": mark, "Name": name, "ImageName": image}
        found["Config"] |= {"Image": image, "Labels": _labels(options), "Cmd": arguments}
        lines = [
            line for path in options.get("--env-file", []) for line in Path(path).read_text().splitlines()
        ]
        found["Config"]["Env"] = [*options.get("--env", []), *lines, f"HOSTNAME={mark[:12]}"]
        found["HostConfig"] |= {
            "Memory": int(options.get("--memory", ["0"])[0]),
            "NanoCpus": int(float(options.get("--cpus", ["0"])[0]) * 1_000_000_000),
            "Privileged": "--privileged" in options,
        }
        networks: dict[str, Any] = {each: {} for each in options.get("--network", [])}
        found["NetworkSettings"] = {"Networks": networks, "Ports": options.get("--publish", [])}
        found["State"] |= {"Status": "created", "Running": False, "ExitCode": 0}
        self.stage.containers[name] = found
        self.stage.note("create", found)
        return mark

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
        self.stage.note("start", found)
        return words[-1]

    def do_stop(self, words: list[str]) -> str:
        return self._end(words[-1], 0, "stop")

    def do_kill(self, words: list[str]) -> str:
        return self._end(words[-1], 137, "kill")

    def do_rm(self, words: list[str]) -> str:
        found = self._container(words[-1])
        del self.stage.containers[found["Name"]]
        self.stage.note("remove", found)
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
        told = [each for each in self.stage.events if _is_selected(each["Attributes"], options)]
        return "\n".join(json.dumps(each) for each in told)

    def _up(self) -> list[dict[str, Any]]:
        return [each for each in self.stage.containers.values() if each["State"]["Status"] == "running"]

    def _container(self, name: str) -> dict[str, Any]:
        for each in self.stage.containers.values():
            if name in (each["Name"], each["Id"]):
                return each
        raise _recorded("no container", "nosuch", name)

    def _end(self, name: str, code: int, action: str) -> str:
        found = self._container(name)
        found["State"] |= {"Status": "exited", "Running": False, "ExitCode": code}
        self.stage.note(action, found)
        return name


class RefusedError(Exception):
    """What a real one printed to its errors."""


def _recorded(kind: str, there: str, here: str) -> RefusedError:
    """An error as it was printed, about something else."""
    return RefusedError(RECORDED["errors"][kind]["stderr"].replace(there, here))


def _split(words: list[str], valued: tuple[str, ...] = ()) -> tuple[list[str], Options]:
    """Options come first; one with `=` carries its value, of `valued` ones it is the next word."""
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
