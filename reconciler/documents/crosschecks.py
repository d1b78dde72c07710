"""Checks across files: missing adapters, denied images, duplicate leases; and prices against limits."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.documents.document import FILE_START
from reconciler.documents.files import ReadFile
from reconciler.documents.kinds import CONFIG
from reconciler.values.adapters import adapter_path
from reconciler.values.bounds import out_of_bounds
from reconciler.values.clusters import KubernetesSettings, NetworkPolicyController
from reconciler.values.desired import AdapterSettings, Config, Fault, Pricing, Workload
from reconciler.values.hosts import AnsibleSettings, host_identity
from reconciler.values.ids import LeaseId
from reconciler.values.images import denied_by
from reconciler.values.limits import Limits
from reconciler.values.money import DENOM
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache


def cross_faults(
    files: Mapping[str, ReadFile], adapters: Mapping[str, AdapterSettings], results: ResultCache
) -> Iterator[Fault]:
    """Faults of workload files that are valid by themselves; the planner holds the workloads. `adapters` are
    the values of adapter files, `results` those of earlier revisions.
    """
    config = files[CONFIG].value if CONFIG in files else None
    denied = config.images_denied if isinstance(config, Config) else ()

    def faults(path: str) -> Sequence[Fault] | None:
        file = files[path]
        if not isinstance(file.value, Workload):
            return None
        found = *_adapter_faults(adapters, file, file.value), *_image_faults(denied, file, file.value)
        return found or None

    yield from _shared_hosts(files, adapters)
    yield from _without_network_policy(files, adapters)
    inputs = KeyedInputs(files, (KeyedInput(files),), (adapters, config))
    for found in results.reuse_each("faults across files", inputs, faults).values():
        yield from found
    yield from _duplicate_leases(files, results)


def _duplicate_leases(files: Mapping[str, ReadFile], results: ResultCache) -> Iterator[Fault]:
    def lease_of(file: ReadFile) -> LeaseId | None:
        return file.value.lease if isinstance(file.value, Workload) else None

    leases = results.reuse_values("leases named in files", files, lease_of)

    def second_files() -> Sequence[tuple[str, str]]:
        first: dict[LeaseId, str] = {}
        pairs = ((first.setdefault(lease, path), path) for path, lease in leases.items())
        return [(other, path) for other, path in pairs if other != path]

    for other, path in results.reuse("duplicate leases", (leases,), second_files):
        yield _fault(files[path], "lease", f"{other} has the same lease", "remove one of the two files")


def bound_faults(file: ReadFile, limits: Limits) -> Iterator[Fault]:
    """Prices outside the host file's limits; a commit with such prices is not applied."""
    if isinstance(file.value, Pricing) and file.value.currency == DENOM:  # the daemon converts others
        for name, sentence in out_of_bounds(file.value, limits):
            place = file.places.get(name, FILE_START)
            limit = "discount_percent_max" if name.startswith("multipliers") else "price_min and price_max"
            advice = f"write a price within them, or change limits.{limit} in the host file"
            yield Fault(
                file.path, place.line, place.column, f"pricing.{name}: {sentence}", advice, rule="bounds"
            )


def _shared_hosts(files: Mapping[str, ReadFile], adapters: Mapping[str, AdapterSettings]) -> Iterator[Fault]:
    """Hosts of two enabled files; neither adapter is used."""
    first: dict[str, str] = {}
    for path, settings in adapters.items():
        if not (isinstance(settings, AnsibleSettings) and settings.enabled):
            continue
        for host in settings.hosts.values():
            other = first.setdefault(host_identity(host.address, host.port), path)
            if other != path:
                advice = "name it in one of the files only; until then neither is used"
                yield _fault(files[path], "groups", f"{other} names host {host.address} too", advice)


def _without_network_policy(
    files: Mapping[str, ReadFile], adapters: Mapping[str, AdapterSettings]
) -> Iterator[Fault]:
    """Warnings: the file is valid, but nothing is started."""
    for path, settings in adapters.items():
        if isinstance(settings, KubernetesSettings) and settings.enabled and not settings.network_policy:
            message = "network_policy is missing, so nothing is started"
            advice = f"name what enforces NetworkPolicies: {', '.join(NetworkPolicyController)}"
            place = files[path].places.get("kind", FILE_START)
            yield Fault(path, place.line, place.column, message, advice, warning=True, rule="across")


def _adapter_faults(
    adapters: Mapping[str, AdapterSettings], file: ReadFile, workload: Workload
) -> Iterator[Fault]:
    """A workload needs the adapter that it names, or else any enabled one."""
    if not workload.adapter:
        if not any(each.enabled for each in adapters.values()):
            yield _fault(file, "adapter", "no adapter is enabled", "set enabled: true in a file of adapters/")
        return
    path = adapter_path(workload.adapter)
    settings = adapters.get(path)
    if settings is None:
        yield _fault(
            file, "adapter", f"there is no {path} without errors", "add or fix it, or name another adapter"
        )
    elif not settings.enabled:
        yield _fault(
            file, "adapter", f"{path} is not enabled", "set enabled: true there or name another adapter"
        )


def _image_faults(denied: tuple[str, ...], file: ReadFile, workload: Workload) -> Iterator[Fault]:
    for index, service in enumerate(workload.services):
        rule = denied_by(service.image, denied)
        if rule is not None:
            message = f"image {service.image} is denied by {rule} in {CONFIG}"
            yield _fault(file, f"services.{index}.image", message, "use another image")


def _fault(file: ReadFile, where: str, message: str, advice: str) -> Fault:
    place = file.places.get(where, FILE_START)
    return Fault(file.path, place.line, place.column, f"{where}: {message}", advice, rule="across")
