"""A workload as the text of its file; what has its default is left out."""

from collections.abc import Mapping

from reconciler.documents.document import Node
from reconciler.documents.model import API_VERSION
from reconciler.documents.yaml_writer import write_yaml
from reconciler.values.desired import Env, Port, Service, Workload
from reconciler.values.gpus import GpuModel
from reconciler.values.specification import (
    DEFAULT_HTTP,
    DEFAULT_ROLLOUT,
    GRACE_SECONDS,
    ContainerProbe,
    HttpOptions,
    ImageCredentials,
    Rollout,
    ServiceVolume,
)
from reconciler.values.times import UNIT_SECONDS

_SIZES = {"Ti": 1 << 40, "Gi": 1 << 30, "Mi": 1 << 20, "Ki": 1 << 10}
_CORES_MAX = 9_999
Written = dict[str, Node]


def workload_text(workload: Workload) -> bytes:
    """The file, which is read as the same workload."""
    order = workload.lease.order
    root: Written = {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "lease": {"owner": order.owner, "dseq": order.dseq, "gseq": order.gseq, "oseq": order.oseq},
    }
    closing = f"{workload.close}, {workload.close_words}".removesuffix(", ") if workload.close else ""
    root |= _given(adapter=workload.adapter, paused=workload.paused, close=closing)
    return write_yaml(root | _given(services=[_service(service) for service in workload.services]))


def _given(**values: Node) -> Written:
    """The values that are neither empty nor 0."""
    return {name: value for name, value in values.items() if value}


def _service(service: Service) -> Written:
    grace = service.grace_seconds
    written: Written = {"name": service.name, "image": service.image}
    written |= _given(
        credentials=_credentials(service.credentials) if service.credentials else None,
        command=list(service.command),
        args=list(service.args),
        env=[_env(env) for env in service.env],
    )
    written |= {"resources": _resources(service)}
    written |= _given(volumes=[_volume(volume) for volume in service.volumes])
    written |= {"count": service.count}
    return written | _given(
        expose=[_port(port) for port in service.ports],
        dependencies=list(service.dependencies),
        liveness=_probe(service.liveness) if service.liveness else None,
        readiness=_probe(service.readiness) if service.readiness else None,
        rollout=_rollout(service.rollout),
        termination_grace="" if grace == GRACE_SECONDS else _duration(grace),
    )


def _credentials(given: ImageCredentials) -> Written:
    written: Written = {"host": given.host, "username": given.username}
    return written | _given(email=given.email, secret=given.secret, sealed=given.sealed)


def _env(env: Env) -> Written:
    sources: Written = {"value": env.value, "secret": env.secret, "sealed": env.sealed}
    written: Written = {"name": env.name}
    return written | {name: value for name, value in sources.items() if value is not None}


def _resources(service: Service) -> Written:
    given = service.resources
    ephemeral = given.storage_bytes - sum(volume.size_bytes for volume in service.volumes)
    written: Written = {"cpu": _cpu(given.cpu_milli)} | _given(arch=service.arch)
    written |= {"memory": _size(given.memory_bytes)}
    return written | _given(
        storage=_size(ephemeral) if ephemeral else None,
        gpu=given.gpu,
        gpu_models=[_gpu_model(model) for model in service.gpu_models],
    )


def _cpu(millicores: int) -> Node:
    cores, rest = divmod(millicores, 1000)
    return cores if not rest and cores <= _CORES_MAX else f"{millicores}m"


def _size(size_bytes: int) -> str:
    for unit, factor in _SIZES.items():
        if size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return str(size_bytes)


def _gpu_model(model: GpuModel) -> Written:
    fields = zip(("vendor", "model", "ram", "interface"), model.fields, strict=True)
    return {name: value for name, value in fields if value}


def _volume(volume: ServiceVolume) -> Written:
    written: Written = {"name": volume.name, "size": _size(volume.size_bytes)}
    written |= _given(**{"class": volume.storage_class})
    return written | {"mount": volume.mount} | _given(readOnly=volume.read_only)


def _port(port: Port) -> Written:
    written: Written = {"port": port.port}
    written |= _given(**{"as": port.exposed_as}, protocol=port.protocol if port.protocol != "TCP" else "")
    written |= _given(**{"global": port.public}, service=port.service, ip=port.ip, hosts=list(port.hosts))
    return written | _given(http_options=_http(port.http))


def _http(options: HttpOptions) -> Written:
    keys = {
        "max_body_size": "body_bytes_max",
        "read_timeout": "read_timeout_milliseconds",
        "send_timeout": "send_timeout_milliseconds",
        "next_tries": "next_tries",
        "next_timeout": "next_timeout_milliseconds",
    }
    written: Written = {
        key: getattr(options, name)
        for key, name in keys.items()
        if getattr(options, name) != getattr(DEFAULT_HTTP, name)
    }
    if options.next_cases != DEFAULT_HTTP.next_cases:
        written["next_cases"] = list(options.next_cases)
    return written


def _rollout(rollout: Rollout) -> Written:
    if rollout == DEFAULT_ROLLOUT:
        return {}
    return {"strategy": str(rollout.strategy), "max_unavailable": rollout.max_unavailable}


def _probe(probe: ContainerProbe) -> Written:
    default = ContainerProbe()
    written = _given(port=probe.port, path=probe.path, command=list(probe.command))
    times = {
        "initial_delay": (probe.initial_delay_seconds, default.initial_delay_seconds),
        "period": (probe.period_seconds, default.period_seconds),
        "timeout": (probe.timeout_seconds, default.timeout_seconds),
    }
    written |= {name: _duration(value) for name, (value, usual) in times.items() if value != usual}
    return written | (_given(failures=probe.failures) if probe.failures != default.failures else {})


def _duration(seconds: int) -> str:
    units: Mapping[str, int] = UNIT_SECONDS
    exact = [unit for unit in units if seconds % units[unit] == 0]
    unit = max(exact, key=lambda each: units[each]) if seconds else "s"
    return f"{seconds // units[unit]}{unit}"
