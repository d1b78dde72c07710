"""Validated models to values: from here on nothing depends on files."""

from decimal import Decimal

from reconciler.documents.adapter_models import (
    AnsibleFile,
    AnsibleGroupModel,
    AnsibleHostModel,
    GpuLabelModel,
    HostCapacityModel,
    IngressModel,
    KubernetesFile,
    TimeoutsModel,
)
from reconciler.documents.config_model import ConfigFile
from reconciler.documents.convert_service import service_of
from reconciler.documents.forms import millicores, seconds, size_bytes, whole_uve
from reconciler.documents.pricing_model import GpuPriceModel, MultiplierModel, PricingFile
from reconciler.documents.workload_model import LeaseModel, WorkloadFile
from reconciler.values.clusters import (
    GlobalPorts,
    GpuLabel,
    IngressController,
    IngressSettings,
    KubernetesSettings,
    LeasedIpPool,
    LeaseIsolation,
    NetworkPolicyController,
    OptOut,
    PodSecurity,
    VolumeClass,
)
from reconciler.values.desired import (
    Bidding,
    BidStrategy,
    CloseReason,
    Config,
    Escrow,
    Multiplier,
    OnCritical,
    Pricing,
    Publishing,
    Rounding,
    Usage,
    UsageMeter,
    Withdrawals,
    Workload,
)
from reconciler.values.gpus import GpuModel
from reconciler.values.hosts import (
    AnsibleGroup,
    AnsibleHost,
    AnsibleSettings,
    ContainerEngine,
    Isolation,
    Timeouts,
)
from reconciler.values.ids import LeaseId, OrderId, WorkloadId
from reconciler.values.money import DENOM, parse_price
from reconciler.values.resources import Attribute, Resources


def pricing_of(file: PricingFile) -> Pricing:
    """Exact decimals in the currency of the file, which is that of its first price."""
    prices = file.pricing
    step = prices.rounding.removesuffix(DENOM)
    return Pricing(
        cpu_millicores=_number(prices.cpu_millicores),
        memory_mb=_number(prices.memory_mb),
        storage_mb=_number(prices.storage_mb),
        gpu=_number(prices.gpu),
        profit_margin=Decimal(prices.profit_margin),
        rounding=Rounding.NONE if prices.rounding == Rounding.NONE else Rounding.UP,
        rounding_step=int(step) if step.isdecimal() else 1,
        gpu_models=tuple((gpu_of(each), _number(each.price)) for each in prices.gpu_models),
        storage_classes=tuple(
            (name, _number(text))
            for name, text in prices.storage_classes.model_dump().items()
            if text is not None
        ),
        endpoint=_number(prices.endpoint),
        leased_ip=_number(prices.leased_ip),
        minimum=_number(prices.minimum),
        multipliers=tuple(map(_multiplier, prices.multipliers)),
        currency=parse_price(prices.cpu_millicores)[1],
    )


def gpu_of(model: GpuPriceModel) -> GpuModel:
    """The GPUs of an entry, as orders name them."""
    return GpuModel.named_as(
        *(each or "" for each in (model.vendor, model.model, model.ram, model.interface))
    )


def _multiplier(model: MultiplierModel) -> Multiplier:
    attribute = _attribute(model.attribute) if model.attribute else None
    return Multiplier(Decimal(model.percent) / 100, model.tenant or "", attribute)


def _number(price: str | None) -> Decimal:
    return parse_price(price)[0] if price else Decimal(0)


def config_of(file: ConfigFile) -> Config:
    """Durations in seconds, amounts in whole uve."""
    return Config(
        bidding=Bidding(
            enabled=file.bidding.enabled,
            strategy=BidStrategy(file.bidding.strategy),
            maximum_percent=file.bidding.maximum_percent,
            undercut_percent=file.bidding.undercut_percent,
            break_even_seconds=seconds(file.bidding.break_even),
            bid_lifetime_seconds=seconds(file.bidding.bid_lifetime),
            manifest_timeout_seconds=seconds(file.bidding.manifest_timeout)
            if file.bidding.manifest_timeout
            else None,
            outpriced_percent=file.bidding.outpriced_percent,
            owners_allowed=frozenset(file.bidding.owners_allowed),
            owners_denied=frozenset(file.bidding.owners_denied),
        ),
        withdrawals=Withdrawals(
            seconds(file.withdrawals.every),
            whole_uve(file.withdrawals.min_gain),
            file.withdrawals.fee_percent_max,
        ),
        usage=Usage(
            every_seconds=seconds(file.usage.every),
            min_gain=whole_uve(file.usage.min_gain),
            expiry_margin_seconds=seconds(file.usage.settle_before_expiry),
            unfunded_grace_seconds=seconds(file.usage.unfunded_grace),
            meter=UsageMeter(file.usage.meter),
        ),
        publishing=Publishing(seconds(file.publishing.quiet), seconds(file.publishing.at_most)),
        escrow=Escrow(
            seconds(file.escrow.low),
            seconds(file.escrow.critical),
            OnCritical(file.escrow.on_critical),
        ),
        suspended=file.suspended,
        images_denied=tuple(file.images_denied),
        hosts_denied=tuple(file.hosts_denied),
        capacity_reserve_percent=file.capacity_reserve_percent,
    )


def kubernetes_of(file: KubernetesFile) -> KubernetesSettings:
    """The Kubernetes adapter's settings."""
    return KubernetesSettings(
        enabled=file.enabled,
        namespace=file.namespace,
        egress_denied=tuple(file.egress_denied),
        network_policy=NetworkPolicyController(file.network_policy) if file.network_policy else None,
        isolation=LeaseIsolation(file.isolation),
        pod_security=PodSecurity(file.pod_security),
        runtime_class=file.runtime_class or "",
        gpu_runtime_class=file.gpu_runtime_class or "",
        gpu_labels=tuple(map(_gpu_label, file.gpu_labels)),
        opt_outs=tuple(OptOut(each) for each in sorted(set(file.opt_outs))),
        global_ports=GlobalPorts(file.global_ports),
        public_host=file.public_host or "",
        ingress=_ingress(file.ingress) if file.ingress else None,
        leased_ips=LeasedIpPool(file.leased_ips.pool, file.leased_ips.count) if file.leased_ips else None,
        volume_grace_seconds=seconds(file.volume_grace),
        storage_classes=tuple(
            sorted(
                VolumeClass(each.storage_class, each.name, size_bytes(each.capacity))
                for each in file.storage_classes
            )
        ),
    )


def _ingress(ingress: IngressModel) -> IngressSettings:
    namespace, _, gateway = (ingress.gateway or "").partition("/")
    return IngressSettings(
        controller=IngressController(ingress.controller),
        name=gateway or ingress.ingress_class,
        domain=ingress.domain.lower(),
        pods_namespace=ingress.pods_namespace or namespace or "ingress-nginx",
        namespace=namespace,
    )


def _gpu_label(model: GpuLabelModel) -> GpuLabel:
    key, value = _attribute(model.label)
    return GpuLabel(key, value, GpuModel.named_as("", model.model, model.ram or "", model.interface or ""))


def lease_of(lease: LeaseModel, provider: str) -> LeaseId:
    """The lease of a file, with the provider of the repository."""
    return LeaseId(OrderId(lease.owner, lease.dseq, lease.gseq, lease.oseq), provider)


def workload_of(file: WorkloadFile, lease: LeaseId, name: WorkloadId, path: str) -> Workload:
    """The workload with the ID derived from its lease."""
    reason, _, words = (file.close or "").partition(", ")
    return Workload(
        id=name,
        lease=lease,
        services=tuple(service_of(service) for service in file.services or ()),
        adapter=file.adapter or "",
        paused=file.paused,
        close=CloseReason(reason) if reason else None,
        close_words=words,
        path=path,
    )


def ansible_of(file: AnsibleFile) -> AnsibleSettings:
    """The Ansible adapter's settings."""
    isolation = file.isolation
    return AnsibleSettings(
        enabled=file.enabled,
        groups=tuple(_group(group) for group in file.groups),
        publish=file.network.address,
        ports=(file.network.ports.lowest, file.network.ports.highest),
        storage=file.storage.path,
        isolation=Isolation(isolation.processes, tuple(isolation.read_only_images), file.storage.quota),
        concurrent_runs=file.concurrency.runs,
        forks=file.concurrency.forks,
        observe_every_seconds=seconds(file.look_every),
        timeouts=_timeouts(file.timeouts),
    )


def _group(group: AnsibleGroupModel) -> AnsibleGroup:
    return AnsibleGroup(
        name=group.name,
        hosts=tuple(_host(group, host) for host in group.hosts),
        user=group.user or "",
        sudo=group.sudo,
        engine=ContainerEngine(group.engine),
    )


def _host(group: AnsibleGroupModel, host: AnsibleHostModel) -> AnsibleHost:
    """A host's attributes override those of its group."""
    capacity = host.capacity or group.capacity
    attributes = dict(map(_attribute, [*group.attributes, *host.attributes]))
    return AnsibleHost(
        name=host.name,
        address=host.address,
        port=host.port,
        capacity=_capacity(capacity) if capacity else None,
        attributes=tuple(sorted(attributes.items())),
    )


def _attribute(text: str) -> Attribute:
    key, _, value = text.partition("=")
    return key, value


def _capacity(model: HostCapacityModel) -> Resources:
    return Resources(millicores(model.cpu), size_bytes(model.memory), size_bytes(model.storage), model.gpu)


def _timeouts(model: TimeoutsModel) -> Timeouts:
    return Timeouts(
        connect=seconds(model.connect),
        observe=seconds(model.look),
        apply=seconds(model.apply),
        stop=seconds(model.stop),
        stale=seconds(model.stale),
    )
