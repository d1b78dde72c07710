"""Whether to bid on an order: its tenant, its deployment, and its requirements."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reconciler.values.desired import Bidding
from reconciler.values.key_patterns import has_match
from reconciler.values.money import DENOM
from reconciler.values.observed import Order, ProviderRecord, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.resources import Attribute
from reconciler.values.subjects import Subject
from reconciler.values.text import SENTENCE_MAX, one_line

SHOWN_MAX = 5
"""Attributes, auditors and denominations that a message lists."""

GPUS = "capabilities/gpu/"
CLASSES = "capabilities/storage/"


def eligibility_hold(order: Order, bidding: Bidding, provider: ProviderRecord) -> Hold | None:
    """A hold for the first rule that the order violates, price aside; None if we may bid on it."""
    return _id_hold(order) or _tenant_hold(order, bidding, provider.owner) or _attribute_hold(order, provider)


def _id_hold(order: Order) -> Hold | None:
    """Reject an order whose lease no workload file could name: it could be neither served nor closed."""
    if order.id.is_nameable:
        return None
    why = f"no workload file can name {order.id}, so its lease could be neither served nor closed"
    return Hold(Subject.of_order(order.id), Reason.UNSUPPORTED_ORDER_ID, why)


def _tenant_hold(order: Order, bidding: Bidding, address: str) -> Hold | None:
    subject = Subject.of_order(order.id)
    if order.deployment_state is not State.ACTIVE or order.group_state is not State.OPEN:
        why = (
            f"its deployment is {order.deployment_state} and its group {order.group_state}; "
            "no lease can result"
        )
        return Hold(subject, Reason.DEPLOYMENT_CLOSED, why)
    if order.id.owner == address:
        return Hold(subject, Reason.OWN_ORDER, "the order is our own; the chain refuses such a bid")
    if order.id.owner in bidding.owners_denied:
        return Hold(subject, Reason.OWNER_DENIED, "its owner is on bidding.owners_denied of config.yaml")
    if bidding.owners_allowed and order.id.owner not in bidding.owners_allowed:
        return Hold(subject, Reason.OWNER_DENIED, "its owner is not on bidding.owners_allowed of config.yaml")
    if order.denoms != frozenset({DENOM}):
        why = f"its price is in {_join(order.denoms) or 'no denomination'}; only {DENOM} is accepted"
        return Hold(subject, Reason.FOREIGN_DENOMINATION, why)
    return None


def _attribute_hold(order: Order, provider: ProviderRecord) -> Hold | None:
    """The order's requirements against our record (semantics 3.2, attribute rule)."""
    subject = Subject.of_order(order.id)
    if missing := [a for a in order.attributes if not has_match(a, provider.attributes)]:
        why = f"it requires {_show(missing)}, which our provider record lacks"
        return Hold(subject, Reason.ATTRIBUTES_MISSING, why)
    signed = {auditor for auditor, has in provider.audited.items() if _all_met(order.attributes, has)}
    if missing_auditors := order.signed_by_all - signed:
        why = f"it requires attributes signed by all of {_join(missing_auditors)}"
        return Hold(subject, Reason.NOT_AUDITED, why)
    if order.signed_by_any and not order.signed_by_any & signed:
        why = f"it requires attributes signed by any of {_join(order.signed_by_any)}"
        return Hold(subject, Reason.NOT_AUDITED, why)
    return _capability_hold(order, provider)


def _capability_hold(order: Order, provider: ProviderRecord) -> Hold | None:
    """Storage classes and GPU models against the record's capabilities (semantics 3.2)."""
    subject = Subject.of_order(order.id)
    classes = _storage_classes(provider)
    gpus = [(key.removeprefix(GPUS), value) for key, value in provider.attributes if key.startswith(GPUS)]
    for unit in order.units:
        for volume in unit.storage:
            if volume.attributes and not any(_all_met(volume.attributes, has) for has in classes):
                shown = _show(volume.attributes)
                why = f"it requires storage of {shown}, which our provider record lacks"
                return Hold(subject, Reason.ATTRIBUTES_MISSING, why)
        if (
            unit.gpu
            and unit.gpu_attributes
            and not any(has_match(each, gpus) for each in unit.gpu_attributes)
        ):
            models = _join([key for key, _ in unit.gpu_attributes])
            why = f"it requires GPUs {models}, which our provider record lacks"
            return Hold(subject, Reason.ATTRIBUTES_MISSING, why)
    return None


def _storage_classes(provider: ProviderRecord) -> list[list[Attribute]]:
    """The attributes of each storage class: `capabilities/storage/<number>/<key>`."""
    found: dict[str, list[Attribute]] = {}
    for key, value in provider.attributes:
        number, slash, name = key.removeprefix(CLASSES).partition("/")
        if key.startswith(CLASSES) and number.isascii() and number.isdigit() and slash and name:
            found.setdefault(number, []).append((name, value))
    return list(found.values())


def _all_met(wanted: Iterable[Attribute], have: Collection[Attribute]) -> bool:
    return all(has_match(each, have) for each in wanted)


def _show(attributes: Iterable[Attribute]) -> str:
    return _join([f"{key}={value}" for key, value in attributes])


def _join(texts: Collection[str]) -> str:
    """The first few, and how many more there are; their number is set by tenants."""
    shown = sorted(texts)[:SHOWN_MAX]
    more = f" and {len(texts) - len(shown)} more" if len(texts) > len(shown) else ""
    return one_line(", ".join(shown), SENTENCE_MAX) + more
