"""Fields that the node always writes, even when they hold nothing: those its messages hold by value."""

from __future__ import annotations

from google.protobuf.message import Message

_ALWAYS = {
    "virtengine.deployment.v1beta4.GroupSpec": ("requirements",),
    "virtengine.base.attributes.v1.PlacementRequirements": ("signed_by",),
    "virtengine.deployment.v1beta4.ResourceUnit": ("resource", "price"),
    "virtengine.base.resources.v1beta4.CPU": ("units",),
    "virtengine.base.resources.v1beta4.Memory": ("quantity",),
    "virtengine.base.resources.v1beta4.Storage": ("quantity",),
    "virtengine.base.resources.v1beta4.GPU": ("units",),
    "virtengine.market.v1beta5.ResourceOffer": ("resources",),
}


def complete(message: Message) -> None:
    """Make every such field of a message, and of the messages in it, present."""
    for name in _ALWAYS.get(message.DESCRIPTOR.full_name, ()):
        getattr(message, name).SetInParent()
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in (value,) if isinstance(value, Message) else value:
            complete(part)
