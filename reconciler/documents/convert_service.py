"""Validated services of a workload file to values."""

from reconciler.documents.forms import millicores, seconds, size_bytes
from reconciler.documents.service_model import (
    CredentialsModel,
    GpuModelText,
    HttpOptionsModel,
    PortModel,
    ProbeModel,
    RolloutModel,
    ServiceModel,
    VolumeModel,
)
from reconciler.values.desired import Env, Port, Service
from reconciler.values.gpus import GpuModel
from reconciler.values.images import normal_image
from reconciler.values.resources import Resources
from reconciler.values.specification import (
    DEFAULT_HTTP,
    DEFAULT_ROLLOUT,
    ContainerProbe,
    HttpOptions,
    ImageCredentials,
    Rollout,
    RolloutStrategy,
    ServiceVolume,
    storage_classes,
)


def service_of(service: ServiceModel) -> Service:
    """The service; its resources include its volumes."""
    volumes = tuple(_volume(volume) for volume in service.volumes)
    models = tuple(sorted({_gpu(model) for model in service.resources.gpu_models}))
    return Service(
        name=service.name,
        image=normal_image(service.image),
        resources=_resources(service, volumes, models),
        count=service.count,
        command=tuple(service.command),
        args=tuple(service.args),
        env=tuple(Env(env.name, env.value, env.secret, env.sealed) for env in service.env),
        ports=tuple(_port(port) for port in service.expose),
        arch=service.resources.arch or "",
        gpu_models=models,
        volumes=volumes,
        credentials=_credentials(service.credentials) if service.credentials else None,
        dependencies=tuple(service.dependencies),
        liveness=_probe(service.liveness) if service.liveness else None,
        readiness=_probe(service.readiness) if service.readiness else None,
        rollout=_rollout(service.rollout) if service.rollout else DEFAULT_ROLLOUT,
        grace_seconds=seconds(service.termination_grace),
    )


def _resources(
    service: ServiceModel, volumes: tuple[ServiceVolume, ...], models: tuple[GpuModel, ...]
) -> Resources:
    given = service.resources
    ephemeral = size_bytes(given.storage) if given.storage else 0
    return Resources(
        cpu_milli=millicores(given.cpu),
        memory_bytes=size_bytes(given.memory),
        storage_bytes=ephemeral + sum(volume.size_bytes for volume in volumes),
        gpu=given.gpu,
        storage_classes=storage_classes(volumes),
        gpu_models=((models, given.gpu),) if models and given.gpu else (),
    )


def _volume(volume: VolumeModel) -> ServiceVolume:
    return ServiceVolume(
        volume.name, size_bytes(volume.size), volume.mount, volume.storage_class or "", volume.read_only
    )


def _gpu(model: GpuModelText) -> GpuModel:
    return GpuModel.named_as(model.vendor, model.model or "", model.ram or "", model.interface or "")


def _port(port: PortModel) -> Port:
    return Port(
        port=port.port,
        exposed_as=port.exposed_as or 0,
        protocol=port.protocol,
        public=port.public,
        service=port.service or "",
        ip=port.ip or "",
        hosts=tuple(port.hosts),
        http=_http(port.http_options) if port.http_options else DEFAULT_HTTP,
    )


def _http(options: HttpOptionsModel) -> HttpOptions:
    return HttpOptions(
        body_bytes_max=options.max_body_size,
        read_timeout_milliseconds=options.read_timeout,
        send_timeout_milliseconds=options.send_timeout,
        next_tries=options.next_tries,
        next_timeout_milliseconds=options.next_timeout,
        next_cases=tuple(options.next_cases),
    )


def _credentials(given: CredentialsModel) -> ImageCredentials:
    return ImageCredentials(
        given.host, given.username, given.secret or "", given.sealed or "", given.email or ""
    )


def _rollout(rollout: RolloutModel) -> Rollout:
    return Rollout(RolloutStrategy(rollout.strategy), rollout.max_unavailable)


def _probe(probe: ProbeModel) -> ContainerProbe:
    return ContainerProbe(
        port=probe.port or 0,
        path=probe.path or "",
        command=tuple(probe.command),
        initial_delay_seconds=seconds(probe.initial_delay),
        period_seconds=seconds(probe.period),
        timeout_seconds=seconds(probe.timeout),
        failures=probe.failures,
    )
