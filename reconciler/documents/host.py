"""The host file: parsing, validation, and its ceilings as values."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from ipaddress import ip_network
from itertools import pairwise
from urllib.parse import urlsplit

from pydantic import ValidationError

from reconciler.documents.adapter_access_model import AccessModel, AnsibleAccessModel, KubernetesAccessModel
from reconciler.documents.document import BrokenFileError, Document
from reconciler.documents.forms import millicores, seconds, size_bytes, whole_uve
from reconciler.documents.gateway_model import GatewayModel
from reconciler.documents.host_model import (
    CapacityModel,
    HostFile,
    LimitsModel,
    ListenModel,
    NodeModel,
    PayoutModel,
    PriceBoundsModel,
)
from reconciler.documents.validation_faults import empty_faults, validation_faults
from reconciler.documents.yaml_reader import read_yaml
from reconciler.values.desired import Fault
from reconciler.values.forge_repository import forge_repository
from reconciler.values.grants import AdapterGrants, AnsibleGrants, Grants, KubernetesGrants, SecretGrant
from reconciler.values.limits import Limits, PayoutRules
from reconciler.values.listen_address import ListenAddress
from reconciler.values.money import parse_rate
from reconciler.values.resources import Resources
from reconciler.values.subjects import Subject

ELSEWHERE = "on another machine without TLS: anyone on the network path can forge its answers"
PAYOUT_AMOUNTS = ("amount_min", "amount_max", "day_max")
"""The limits of payouts, each at least the one before."""

PLAIN = "or plaintext: true beside it if the whole network path is yours"


def read_host(path: str, content: bytes) -> HostFile | tuple[Fault, ...]:
    """The host file, or all of its faults."""
    try:
        document = read_yaml(path, content)
    except BrokenFileError as error:
        return (error.fault,)
    if not isinstance(document.root, dict):
        return (Fault(path, 1, 1, "the host file has no keys", "write at least repository and chain"),)
    if empty := empty_faults(document, HostFile):
        return empty
    try:
        file = HostFile.model_validate(document.root)
    except ValidationError as error:
        return validation_faults(document, HostFile, error)
    return tuple(sorted(_faults(document, file))) or file


def limits_of(file: HostFile, observe_only: bool) -> Limits:
    """The ceilings of a valid host file."""
    limits = file.limits
    return Limits(
        observe_only=observe_only,
        messages_per_transaction=limits.messages_per_transaction,
        bids_per_cycle=limits.bids_per_cycle,
        spend_per_hour=whole_uve(limits.spend_per_hour),
        fees_per_day=whole_uve(limits.fees_per_day),
        balance_reserve=whole_uve(limits.balance_reserve),
        bid_deposit_max=whole_uve(limits.bid_deposit_max),
        promised_per_tenant_percent=limits.promised_per_tenant_percent,
        removals_per_cycle=limits.removals_per_cycle,
        removals_per_revision=limits.removals_per_revision,
        window_seconds=seconds(limits.window),
        closings_per_hour=limits.closings_per_hour,
        actions_per_cycle=limits.actions_per_cycle,
        concurrent_effects=limits.concurrent_effects,
        queued_effects=limits.queued_effects,
        price_change_percent=limits.price_change_percent,
        price_min=_rates(limits.price_min),
        price_max=_rates(limits.price_max),
        discount_percent_max=limits.discount_percent_max,
        allow_rewrite=file.repository.allow_rewrite,
        require_signature=file.repository.allowed_signers is not None,
        clock_skew_seconds=seconds(limits.clock_skew),
        timeout_blocks=limits.timeout_blocks,
        gas_adjustment=limits.gas_adjustment,
        gas_price_max=parse_rate(limits.gas_price_max),
        capacity=_resources(limits.capacity),
        grants=_grants(file),
        payout=_payout(file.payout),
        gateway_host=(file.gateway.hostname or "") if file.gateway else "",
    )


def _payout(payout: PayoutModel | None) -> PayoutRules | None:
    if payout is None:
        return None
    return PayoutRules(
        address=payout.address,
        operating_float=whole_uve(payout.operating_float),
        every_seconds=seconds(payout.every),
        amount_min=whole_uve(payout.amount_min),
        amount_max=whole_uve(payout.amount_max),
        day_max=whole_uve(payout.day_max),
    )


def _grants(file: HostFile) -> Grants:
    return Grants(
        adapters={name: _adapter_grants(entry) for name, entry in file.adapters.by_name.items()},
        secrets=tuple(
            SecretGrant(each.name, frozenset(each.workloads), frozenset(each.tenants))
            for each in file.secrets
        ),
    )


def _adapter_grants(entry: AccessModel) -> AdapterGrants:
    match entry:
        case KubernetesAccessModel():
            return KubernetesGrants(
                namespaces=tuple(entry.namespaces), lease_namespaces=entry.lease_namespaces
            )
        case AnsibleAccessModel():
            return AnsibleGrants(
                enabled=entry.enabled,
                hosts=tuple(entry.hosts),
                this_machine=entry.this_machine,
                sudo=entry.sudo,
                storage_paths=tuple(entry.storage_paths),
            )


def _rates(bounds: PriceBoundsModel) -> Mapping[str, Decimal]:
    return {name: parse_rate(text) for name, text in bounds.model_dump().items() if text is not None}


def _resources(capacity: CapacityModel | None) -> Resources | None:
    if capacity is None:
        return None
    return Resources(
        millicores(capacity.cpu), size_bytes(capacity.memory), size_bytes(capacity.storage), capacity.gpu
    )


def _faults(document: Document, file: HostFile) -> Iterator[Fault]:
    """Checks beyond the model's types."""
    for name in ("api", "metrics", "outside"):
        if (text := getattr(file.listen, name)) is not None:
            yield from _listen_faults(document, name, text, file.listen)
    if file.gateway is not None:
        yield from _gateway_faults(document, file.gateway)
    yield from _chain_faults(document, file)
    path, url = file.repository.path, file.repository.url
    if path.startswith("/") or ".." in path.split("/"):
        message = f'"{path}" points outside the repository'
        yield document.fault(("repository", "path"), message, "name a folder inside it")
    if url.startswith("-"):
        message = f'"{url}" looks like a git option'
        yield document.fault(("repository", "url"), message, "write a URL, or a path with ./ before it")
    yield from _grant_faults(document, file)
    yield from _crossed_bounds(document, file.limits)
    yield from _payout_faults(document, file)
    yield from _forge_faults(document, file)
    if file.gateway is not None and file.sealing is None:
        message = "tenants' manifests hold secrets, and there is no sealing.recipient to seal them for"
        yield document.fault(("gateway",), message, "run `provider-daemon seal --new-identity`")


def _listen_faults(document: Document, name: str, text: str, model: ListenModel) -> Iterator[Fault]:
    steps = ("listen", name)
    try:
        listen = ListenAddress.parse(text)
    except ValueError as error:
        message, _, advice = str(error).partition("; ")
        yield document.fault(steps, message, advice)
        return
    if listen.is_loopback:
        return
    instead = f"or listen on 127.0.0.1:{listen.port}"
    if model.tls_certificate is None or model.tls_key is None:
        message = f"{text} is not a loopback address and has no TLS"
        yield document.fault(steps, message, f"set listen.tls_certificate and listen.tls_key, {instead}")
    if model.tokens is None and model.client_ca is None:
        message = f"{text} is not a loopback address and has no authentication"
        yield document.fault(steps, message, f"set listen.tokens or listen.client_ca, {instead}")


def _gateway_faults(document: Document, model: GatewayModel) -> Iterator[Fault]:
    for name, text in (("address", model.address), ("grpc", model.grpc)):
        try:
            ListenAddress.parse(text or model.address)
        except ValueError as error:
            message, _, advice = str(error).partition("; ")
            yield document.fault(("gateway", name), message, advice)


def _chain_faults(document: Document, file: HostFile) -> Iterator[Fault]:
    yield from _node_faults(document, ("chain",), file.chain)
    if file.chain.witness is not None:
        yield from _node_faults(document, ("chain", "witness"), file.chain.witness)
        if file.chain.witness.grpc == file.chain.grpc or file.chain.witness.rpc == file.chain.rpc:
            message = "the witness is the node itself, so it confirms nothing"
            yield document.fault(("chain", "witness"), message, "name a node with another operator")


def _node_faults(document: Document, steps: tuple[str, ...], node: NodeModel) -> Iterator[Fault]:
    try:
        if not (ListenAddress.parse(node.grpc).is_loopback or node.tls or node.plaintext):
            yield document.fault((*steps, "grpc"), f"{node.grpc} is {ELSEWHERE}", f"write tls: true, {PLAIN}")
    except ValueError:
        message = f'"{node.grpc}" is not a host and a port'
        yield document.fault((*steps, "grpc"), message, 'write them as "127.0.0.1:9090"')
    try:
        parts = urlsplit(node.rpc)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        message = f'"{node.rpc}" is not an HTTP address'
        yield document.fault((*steps, "rpc"), message, 'write it as "http://127.0.0.1:26657"')
    elif parts.scheme == "http" and not (
        ListenAddress(parts.hostname or "", 0).is_loopback or node.plaintext
    ):
        yield document.fault((*steps, "rpc"), f"{node.rpc} is {ELSEWHERE}", f"write https://, {PLAIN}")


def _grant_faults(document: Document, file: HostFile) -> Iterator[Fault]:
    for name, entry in file.adapters.by_name.items():
        if not Subject.names_adapter(name):
            message = f"{name} is a reserved word"
            yield document.fault(("adapters", name), message, "give the adapter another name", of_key=True)
        for index, text in enumerate(entry.hosts if isinstance(entry, AnsibleAccessModel) else ()):
            if "/" in text or ":" in text:
                try:
                    ip_network(text)
                except ValueError as error:
                    steps = ("adapters", name, "hosts", index)
                    yield document.fault(steps, str(error), 'write a range as "192.0.2.0/24"')
    for index, grant in enumerate(file.secrets):
        if not grant.workloads and not grant.tenants:
            message = f"the secret {grant.name} has no grantee"
            yield document.fault(("secrets", index), message, "name workloads or tenants")


def _payout_faults(document: Document, file: HostFile) -> Iterator[Fault]:
    if (payout := file.payout) is None:
        return
    reserve = whole_uve(file.limits.balance_reserve)
    if whole_uve(payout.operating_float) < reserve:
        message = f"is less than limits.balance_reserve ({reserve}uve), which is never spent"
        yield document.fault(("payout", "operating_float"), message, "raise it")
    amounts = {name: whole_uve(getattr(payout, name)) for name in PAYOUT_AMOUNTS}
    if not amounts["amount_min"]:
        yield document.fault(("payout", "amount_min"), "is 0, and each payout costs a fee", "raise it")
    for low, high in pairwise(PAYOUT_AMOUNTS):
        if amounts[low] > amounts[high]:
            yield document.fault(("payout", low), f"exceeds payout.{high}", "lower it")


def _forge_faults(document: Document, file: HostFile) -> Iterator[Fault]:
    if file.forge is None:
        return
    try:
        forge_repository(file.forge.url, file.forge.repository)
    except ValueError as error:
        message, _, advice = str(error).partition("; ")
        key = "repository" if "is not a repository" in message else "url"
        yield document.fault(("forge", key), message, advice)


def _crossed_bounds(document: Document, limits: LimitsModel) -> Iterator[Fault]:
    least, most = _rates(limits.price_min), _rates(limits.price_max)
    for name in least.keys() & most.keys():
        if least[name] > most[name]:
            yield document.fault(("limits", "price_min", name), "exceeds limits.price_max", "lower it")
