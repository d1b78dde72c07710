"""The last lines of a workload's containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.refusals import ApiError
from reconciler.adapters.kubernetes.views import PodView
from reconciler.values.ids import WorkloadId

LOG_MAX_BYTES = 1 << 20
TAIL_MAX_LINES = 10_000


class Logs:
    """Reads logs through the API server, pod by pod."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def tail(self, workload: WorkloadId, pods: Sequence[PodView], lines: int) -> Iterator[bytes]:
        """The last `lines` of each container, each line after its pod's name; at most 1 MiB in all."""
        if not pods:
            raise OSError(f"workload {workload} has no pods: it is paused, or not there; see its status")
        return self._lines(sorted(pods, key=lambda pod: pod.marks.name), max(0, min(lines, TAIL_MAX_LINES)))

    def _lines(self, pods: Sequence[PodView], lines: int) -> Iterator[bytes]:
        room = LOG_MAX_BYTES
        for pod in pods:
            prefix = f"{pod.marks.service}/{pod.marks.name.rpartition('-')[2]} | ".encode()
            for line in self._one(pod, lines, room):
                whole = prefix + line + b"\n"
                room -= len(whole)
                if room < 0:
                    yield b"(cut: more than 1 MiB; ask for fewer lines)\n"
                    return
                yield whole

    def _one(self, pod: PodView, lines: int, room: int) -> list[bytes]:
        query = {"container": pod.marks.service, "tailLines": str(lines), "limitBytes": str(room)}
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod.marks.name}/log"
        try:
            return self._client.get(path, query, "text/plain,application/json,*/*").splitlines()
        except ApiError as why:
            if why.status in (400, 404):
                return [f"(no log: {why})".encode()]
            raise OSError(why.sentence(self._client.server)) from why
