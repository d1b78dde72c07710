"""Text formats of the files: money, quantities, durations, names; each with the advice for invalid text.

Models keep the text and the conversion to values parses it, so an editor with the published schema and the
daemon reject the same texts.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any

from bech32 import bech32_decode
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.documents.document import Node
from reconciler.values import images
from reconciler.values.money import DENOM, FIAT
from reconciler.values.times import UNIT_SECONDS


@dataclass(frozen=True, slots=True)
class TextForm:
    """A pattern, its noun, and the advice for text that does not match."""

    pattern: str
    noun: str
    advice: str


PRICE = TextForm(
    rf"^[0-9]{{1,12}}(\.[0-9]{{1,18}})?{DENOM}$",
    "a price",
    f'write a decimal number and {DENOM}: "0.5{DENOM}"',
)
LIST_PRICE = TextForm(
    rf"^[0-9]{{1,12}}(\.[0-9]{{1,18}})?({DENOM}| ?({'|'.join(FIAT)}))$",
    "a unit price",
    f'write a decimal number and {DENOM}: "0.5{DENOM}", or the currency of a rate: "0.05 usd"',
)
CURRENCY = TextForm(rf"^({'|'.join(FIAT)})$", "a currency", f"write one of {', '.join(FIAT)}")
ROUNDING = TextForm(
    rf"^(up|none|[1-9][0-9]{{0,2}}{DENOM})$",
    "a rounding",
    f'write up, none, or a multiple of whole uve below 1000: "10{DENOM}"',
)
GPU_FIELD = TextForm(
    r"^[a-zA-Z0-9][-a-zA-Z0-9._]{0,62}$",
    "a vendor, model or interface",
    'write it as orders do: "a100"',
)
GPU_RAM = TextForm(r"^[0-9]{1,9}(Mi|Gi|Ti)$", "a RAM of GPUs", 'write it as orders do: "80Gi"')
AMOUNT = TextForm(rf"^[0-9]{{1,18}}{DENOM}$", "an amount", f'write a whole number and {DENOM}: "2500{DENOM}"')
MARGIN = TextForm(
    r"^[0-9]{1,3}(\.[0-9]{1,6})?$", "a margin", 'write a fraction of at most 6 decimals: "0.15" is 15 %'
)
DURATION = TextForm(r"^[1-9][0-9]{0,5}[smhd]$", "a duration", 'write a number and s, m, h or d: "24h"')
DELAY = TextForm(r"^(0|[1-9][0-9]{0,5})[smhd]$", "a duration", 'write a number and s, m, h or d: "5s"')
CPU = TextForm(
    r"^([1-9][0-9]{0,6}m|[1-9][0-9]{0,3})$", "an amount of CPU", 'write millicores: "500m", or whole cores: 2'
)
SIZE = TextForm(
    r"^[1-9][0-9]{0,15}(Ki|Mi|Gi|Ti)?$", "a size", 'write it in Ki, Mi, Gi or Ti (powers of 1024): "512Mi"'
)
ADDRESS = TextForm(
    r"^ve1[02-9ac-hj-np-z]{38}([02-9ac-hj-np-z]{20})?$",
    "an address",
    "copy the whole address, which starts with ve1",
)
NAME = TextForm(
    r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", "a name", "use a-z, 0-9 and -, start with a letter, at most 63"
)
ENV_NAME = TextForm(
    r"^(\.?[-_a-zA-Z]|\.[0-9])[-._a-zA-Z0-9]{0,253}$",
    "a variable's name",
    "use letters, digits, _, - and ., no digit first",
)
SECRET = TextForm(
    r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/[-._a-zA-Z0-9]{1,253}$",
    "a secret's key",
    'write "secret/key": "db/password"',
)
IMAGE = TextForm(
    images.PATTERN,
    "an image",
    "write [registry/]name[:tag][@sha256:digest]",
)
IMAGE_RULE = TextForm(
    r"^[a-zA-Z0-9*?][a-z0-9A-Z._/:@*?-]{0,254}$",
    "an image pattern",
    'write an image name; * matches any text: "docker.io/evil/*"',
)
CLOSE = TextForm(
    r"^(unstable|decommission|unspecified|manifest_timeout)(, [^\u0000-\u001f\u007f]{1,200})?$",
    "a reason to close",
    'write unstable, decommission, unspecified or manifest_timeout, then optionally ", " and an explanation',
)
HOST_ADDRESS = TextForm(
    r"^[a-zA-Z0-9]([-a-zA-Z0-9.:]{0,251}[a-zA-Z0-9])?$",
    "a host's address",
    'write a name, an IP address, or "localhost" for this machine',
)
IP_ADDRESS = TextForm(
    r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
    "an IPv4 address",
    'write "0.0.0.0" for all addresses of the host, or one of them',
)
ADDRESS_RANGE = TextForm(
    r"^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$",
    "an address range",
    'write it in CIDR notation: "203.0.113.0/24", "2001:db8:1::/48"',
)
USER_NAME = TextForm(r"^[a-z_][-a-z0-9_]{0,31}$", "a user's name", "use a-z, 0-9, _ and -, at most 32")
DIRECTORY = TextForm(
    r"^(/[A-Za-z0-9_][-A-Za-z0-9._]{0,99}){1,20}$", "a directory", 'write an absolute path: "/var/lib/name"'
)
HOST_GRANT = TextForm(
    r"^[a-zA-Z0-9:][-a-zA-Z0-9.:]{0,252}(/[0-9]{1,3})?$",
    "a host or a range of addresses",
    'write a name, an IP address, or a range: "192.0.2.0/24"',
)
JUMP = TextForm(
    r"^([a-z_][-a-z0-9_]{0,31}@)?([a-zA-Z0-9]([-a-zA-Z0-9.]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])"
    r"(:[0-9]{1,5})?$",
    "an SSH server",
    'write "user@host:port"; user and port are optional',
)
WORKLOAD_ID = TextForm(
    r"^[0-9]{1,20}-[0-9]{1,10}-[0-9]{1,10}-[a-z2-7]{10}$",
    "a workload's id",
    "write the name of its file, without workloads/ and .yaml",
)
SECRET_GRANT = TextForm(
    r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?(/[-a-zA-Z0-9._]{1,253})?$",
    "a secret",
    'write its name, or "name/key" for one of its keys',
)
ATTRIBUTE = TextForm(
    r"^[a-z0-9A-Z][-a-z0-9A-Z._/]{0,126}=[-a-zA-Z0-9._/]{1,128}$", "an attribute", 'write "key=value"'
)

TEXT = TextForm(r"^[^\u0000]*$", "a text", "remove the character NUL, which no process can be given")
SEALED = TextForm(
    r"^age1:[A-Za-z0-9+/=]{1,65536}$", "a sealed value", "copy the whole value, which starts with age1:"
)
RECIPIENT = TextForm(
    r"^age1[a-z0-9]{58}$",
    "an age recipient",
    "copy the line that `provider-daemon seal --new-identity` prints; it starts with age1",
)
IP_NAME = TextForm(
    r"^[a-z][-a-z0-9_]{1,62}$", "a name", "use a-z, 0-9, _ and -, start with a letter, 2 to 63 characters"
)
GPU_TEXT = TextForm(r"^[a-zA-Z0-9][-a-zA-Z0-9._]{0,62}$", "a name", "use letters, digits, -, . and _")
HOST_NAME = TextForm(
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
    "a host name",
    'write it in lower case, without port and wildcard: "shop.example.com"',
)
HOST_RULE = TextForm(
    r"^\.?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
    "a host name or a domain",
    'write "shop.example.com", or ".example.com" for the domain and all names below it',
)
NAMESPACED_NAME = TextForm(
    rf"{NAME.pattern.removesuffix('$')}/{NAME.pattern.removeprefix('^')}",
    "a name in a namespace",
    'write "namespace/name": "infra/public"',
)
MOUNT = TextForm(r"^/[^\u0000-\u001f\u007f:]{0,1023}$", "a path", 'write an absolute path: "/var/lib/data"')

FORMS = {form.pattern: form for form in tuple(vars().values()) if isinstance(form, TextForm)}
"""By pattern, for messages about text that does not match."""


def number_text(value: Node) -> Node:
    """An unquoted number as its decimal text; anything else unchanged."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return value


def whole_number(value: Node) -> Node:
    """`3.0` as 3, which JSON Schema counts as an integer; anything else unchanged."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def image_text(value: str) -> str:
    """Validate an image with the parser: a schema cannot express all of its rules."""
    try:
        images.parse_image(value)
    except ValueError as error:
        raise PydanticCustomError("image", "{why}", {"why": str(error)}) from None
    return value


def address_text(value: str) -> str:
    """Validate an address with its checksum, which finds up to four changed characters."""
    if bech32_decode(value)[1] is None:
        message = "wrong checksum: a character is missing, added or changed"
        raise PydanticCustomError("checksum", "{why}", {"why": message})
    return value


def range_text(value: str) -> str:
    """Validate an address range: no bit may be set beyond its prefix."""
    try:
        ip_network(value)
    except ValueError as error:
        raise PydanticCustomError("address_range", "{why}", {"why": str(error)}) from None
    return value


def _schema(form: TextForm, **number: Any) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": form.pattern}, number]})


Price = Annotated[str, Field(pattern=PRICE.pattern)]
ListPrice = Annotated[str, Field(pattern=LIST_PRICE.pattern)]
Currency = Annotated[str, Field(pattern=CURRENCY.pattern)]
RoundingText = Annotated[str, Field(pattern=ROUNDING.pattern)]
GpuField = Annotated[str, Field(pattern=GPU_FIELD.pattern), BeforeValidator(number_text)]
GpuRam = Annotated[str, Field(pattern=GPU_RAM.pattern), BeforeValidator(number_text)]
Amount = Annotated[str, Field(pattern=AMOUNT.pattern)]
Margin = Annotated[
    str,
    Field(pattern=MARGIN.pattern),
    BeforeValidator(number_text),
    _schema(MARGIN, type="number", minimum=0, exclusiveMaximum=1000),
]
Duration = Annotated[str, Field(pattern=DURATION.pattern)]
Delay = Annotated[str, Field(pattern=DELAY.pattern)]
Cpu = Annotated[
    str,
    Field(pattern=CPU.pattern),
    BeforeValidator(number_text),
    BeforeValidator(whole_number),
    _schema(CPU, type="integer", minimum=1, maximum=9999),
]
Size = Annotated[
    str,
    Field(pattern=SIZE.pattern),
    BeforeValidator(number_text),
    BeforeValidator(whole_number),
    _schema(SIZE, type="integer", minimum=1, maximum=9_999_999_999_999_999),
]
Address = Annotated[str, Field(pattern=ADDRESS.pattern), AfterValidator(address_text)]
Name = Annotated[str, Field(pattern=NAME.pattern)]
EnvName = Annotated[str, Field(pattern=ENV_NAME.pattern)]
SecretKey = Annotated[str, Field(pattern=SECRET.pattern)]
Image = Annotated[
    str, Field(pattern=IMAGE.pattern, max_length=images.REFERENCE_MAX), AfterValidator(image_text)
]
ImageRule = Annotated[str, Field(pattern=IMAGE_RULE.pattern)]
Close = Annotated[str, Field(pattern=CLOSE.pattern)]
HostAddress = Annotated[str, Field(pattern=HOST_ADDRESS.pattern)]
AddressRange = Annotated[str, Field(pattern=ADDRESS_RANGE.pattern), AfterValidator(range_text)]
IpAddress = Annotated[str, Field(pattern=IP_ADDRESS.pattern)]
UserName = Annotated[str, Field(pattern=USER_NAME.pattern)]
Directory = Annotated[str, Field(pattern=DIRECTORY.pattern)]
HostGrant = Annotated[str, Field(pattern=HOST_GRANT.pattern)]
Jump = Annotated[str, Field(pattern=JUMP.pattern)]
WorkloadName = Annotated[str, Field(pattern=WORKLOAD_ID.pattern)]
SecretGrantName = Annotated[str, Field(pattern=SECRET_GRANT.pattern)]
Attribute = Annotated[str, Field(pattern=ATTRIBUTE.pattern)]
WHOLE = BeforeValidator(whole_number)
"""Must be last in an annotation, after the bounds, or these do not reach the schema."""
Whole = Annotated[int, WHOLE]
Text = Annotated[str, Field(pattern=TEXT.pattern, max_length=32_768)]
SealedText = Annotated[str, Field(pattern=SEALED.pattern)]
IpName = Annotated[str, Field(pattern=IP_NAME.pattern)]
GpuText = Annotated[str, Field(pattern=GPU_TEXT.pattern)]
HostRule = Annotated[str, Field(pattern=HOST_RULE.pattern, max_length=254)]
HostName = Annotated[str, Field(pattern=HOST_NAME.pattern, max_length=253)]
NamespacedName = Annotated[str, Field(pattern=NAMESPACED_NAME.pattern)]
MountPath = Annotated[str, Field(pattern=MOUNT.pattern)]
PathText = Annotated[str, Field(min_length=1, max_length=4096)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\u0000-\u001f\u007f]+$")]

_SIZE_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}


def seconds(duration: str) -> int:
    """`24h` in seconds."""
    return int(duration[:-1]) * UNIT_SECONDS[duration[-1]]


def whole_uve(amount: str) -> int:
    """`2500uve` as 2500."""
    return int(amount.removesuffix(DENOM))


def millicores(cpu: str) -> int:
    """`500m` as 500, `2` (cores) as 2000."""
    return int(cpu[:-1]) if cpu.endswith("m") else int(cpu) * 1000


def size_bytes(size: str) -> int:
    """`512Mi` in bytes."""
    match = re.fullmatch(r"([0-9]+)([KMGT]i)?", size)
    assert match is not None, "validated by the model"
    return int(match[1]) * _SIZE_UNITS[match[2] or ""]
