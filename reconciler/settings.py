"""Host file, environment and flags as one frozen value; read once at start."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from errno import ENOENT
from hashlib import sha256
from pathlib import Path

from reconciler.adapters.ansible.credentials import HostCredentials, host_credentials_of
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig, server_of
from reconciler.chain.node_address import ChainSettings, NodeAddress, read_authorities
from reconciler.documents.adapter_access_model import AdaptersModel, AnsibleAccessModel
from reconciler.documents.forms import seconds
from reconciler.documents.gateway_model import GatewayModel
from reconciler.documents.host import limits_of, read_host
from reconciler.documents.host_model import (
    HostFile,
    ListenModel,
    NodeModel,
    RateModel,
    RepositoryModel,
)
from reconciler.documents.rate_file import EXAMPLE, RATE_BYTES_MAX, read_rate
from reconciler.forge.settings import ForgeSettings, forge_settings_of
from reconciler.git.remote import Author, Remote
from reconciler.values.adapters import KUBERNETES
from reconciler.values.grants import KubernetesGrants
from reconciler.values.limits import Limits
from reconciler.values.listen_address import ListenAddress
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Reading, Seen, Unseen

HOST_VARIABLE = "PROVIDER_DAEMON_HOST"
DEFAULT_HOST_FILE = Path("/etc/provider-daemon.yaml")
STOP_FILE = "stop-spending"
"""While this file exists in the state directory, nothing is spent."""
DRAIN_FILE = "drain"
"""While this file exists, no bids are placed; leases continue."""

CREDENTIALS = "$CREDENTIALS_DIRECTORY"
"""Directory of a systemd service's credentials; allowed as prefix of provider.passphrase_file."""
PASSPHRASE_CREDENTIAL = "passphrase"  # noqa: S105  # its name, not itself
"""Credential that replaces the passphrase file, if the service has it."""

IDENTITY_FILE = "identity.age"
"""Name of the file of age identities in the state directory."""

_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/@:]+@[^/:]+:")
"""A URL or `user@host:path`; any other repository address is a path on this machine."""


class SettingsError(Exception):
    """An invalid host file; each line states the position, the fault and the correction."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Options of the command line that override the host file."""

    host: Path | None = None
    observe_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySettings(Remote):
    """The remote, and what is published to it."""

    allow_rewrite: bool
    poll_seconds: int
    publish: bool
    snapshot: bool


@dataclass(frozen=True, slots=True)
class KeySettings:
    """The signing key: its name, the directory of `keyring-<backend>`, and its passphrase file; the mode of a
    credential is set by systemd and not checked.
    """

    name: str
    keyring: Path
    backend: str
    passphrase_file: Path | None
    is_credential: bool = False


AdapterAccess = Kubeconfig | HostCredentials
"""An adapter's credentials."""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """URL of the notices' webhook, and the file with the secret that signs them."""

    url: str
    secret_file: Path | None


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Listen addresses, and files for authentication off loopback."""

    api: ListenAddress
    metrics: ListenAddress
    outside: ListenAddress | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    tokens: Path | None = None
    webhook_secret: Path | None = None
    ask_token: Path | None = None
    ask_certificate: Path | None = None
    ask_key: Path | None = None


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The tenants' listener: addresses, certificate and key files, public host name, limits."""

    address: ListenAddress
    certificate: Path
    key: Path
    hostname: str = ""
    grpc: ListenAddress | None = None
    connections: int = 512
    connections_per_client: int = 32
    requests_per_minute: int = 240


@dataclass(frozen=True, slots=True)
class SealingSettings:
    """The age recipient that values are sealed for, and the file of the identities that unseal them."""

    recipient: str
    identity: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the machine's owner; paths are absolute. `adapters` are those with credentials, by name."""

    host_file: Path
    provider: str
    repository: RepositorySettings
    key: KeySettings
    chain: ChainSettings
    adapters: Mapping[str, AdapterAccess]
    state: Path
    listen: ListenSettings
    gateway: GatewaySettings | None
    sealing: SealingSettings | None
    notices: NoticeSettings | None
    forge: ForgeSettings | None
    limits: Limits
    rate: RateModel | None
    poll_seconds: float
    cycle_at_most_seconds: int

    @property
    def api(self) -> ListenAddress:
        """The address of the API for commands on this machine."""
        return self.listen.api

    @property
    def default_identity(self) -> Path:
        """The file of age identities, unless the host file names another."""
        return self.state / IDENTITY_FILE

    @property
    def stop_file(self) -> Path:
        """The stop file; while it exists, nothing is spent."""
        return self.state / STOP_FILE

    def limits_now(self) -> Limits:
        """The limits with the current stop and drain files, of which an unreadable one counts as present, and
        with the current rate.
        """
        stopped, draining = _there(self.stop_file), _there(self.state / DRAIN_FILE)
        rate = _rate(self.host_file.parent, self.rate) if self.rate else None
        return replace(self.limits, stop_spending=stopped, draining=draining, rate=rate)


def _rate(here: Path, model: RateModel) -> RateSource:
    path = here / model.file
    reading: Reading[ExchangeRate]
    try:
        if not path.is_file():
            raise OSError(ENOENT, "there is no such file")
        with path.open("rb") as file:
            reading = Seen(read_rate(path.name, file.read(RATE_BYTES_MAX + 1)))
    except ValueError as error:
        reading = Unseen(str(error))
    except OSError as error:
        reading = Unseen(f"{path.name}: it cannot be read: {error.strerror} (write {EXAMPLE} into rate.file)")
    return RateSource(model.currency, seconds(model.max_age), reading)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True


def host_file(flags: Flags, environment: Mapping[str, str]) -> Path:
    """--host, else $PROVIDER_DAEMON_HOST, else /etc/provider-daemon.yaml; absolute."""
    named = flags.host or environment.get(HOST_VARIABLE)
    return Path(named).absolute() if named else DEFAULT_HOST_FILE


def load_settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """Read the host file; SettingsError with the `file:line:column` of each fault."""
    path = host_file(flags, environment)
    return settings_from(path, _read(path), flags, environment)


def settings_from(path: Path, content: bytes, flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The settings of a host file with this content and path; SettingsError as in `load_settings`."""
    file = read_host(str(path), content)
    if not isinstance(file, HostFile):
        raise SettingsError("\n".join(fault.describe() for fault in file))
    return _settings(path, file, flags, environment)


def read_passphrase(key: KeySettings) -> str | None:
    """The first line of the passphrase file, None without one; SettingsError if others can read the file."""
    path = key.passphrase_file
    if path is None:
        return None
    if path.parts[0] == CREDENTIALS:
        raise SettingsError(
            f"{path} is a credential that systemd gives to the service alone; elsewhere set {CREDENTIALS}, "
            f"or name a file as provider.passphrase_file"
        )
    try:
        if path.stat().st_mode & 0o077 and not key.is_credential:
            raise SettingsError(f"the passphrase file {path} is readable by others; run chmod 600 {path}")
        return path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        advice = "write the keyring's passphrase into it, or change provider.passphrase_file in the host file"
        raise SettingsError(f"the passphrase file {path} cannot be read: {why}; {advice}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        instead = f"name yours with --host FILE or in ${HOST_VARIABLE}, or write one"
        raise SettingsError(f"the host file {path} cannot be read: {error.strerror}; {instead}") from None


def _settings(path: Path, file: HostFile, flags: Flags, environment: Mapping[str, str]) -> Settings:
    here = path.parent
    adapters = dict(_adapters(here, file.adapters, environment))
    witness = _node(here, file.chain.witness) if file.chain.witness else None
    return Settings(
        host_file=path,
        provider=file.provider.name,
        repository=_repository(here, file.repository),
        key=_key(here, file, environment),
        chain=ChainSettings(_node(here, file.chain), file.chain.chain_id, witness),
        adapters=adapters,
        state=here / file.state,
        listen=_listen(here, file.listen),
        gateway=_gateway(here, file.gateway) if file.gateway else None,
        sealing=_sealing(here, file),
        notices=NoticeSettings(file.notices.url, _below(here, file.notices.secret_file))
        if file.notices
        else None,
        forge=forge_settings_of(here, file),
        limits=_with_clusters(limits_of(file, flags.observe_only), adapters),
        rate=file.rate,
        poll_seconds=float(file.timing.poll_seconds),
        cycle_at_most_seconds=file.timing.cycle_at_most_seconds,
    )


def _node(here: Path, model: NodeModel) -> NodeAddress:
    try:
        authorities = read_authorities(_below(here, model.ca_file))
    except ValueError as error:
        raise SettingsError(f"chain.ca_file: {error}") from None
    return NodeAddress(model.grpc, model.rpc, model.tls, authorities)


def _repository(here: Path, model: RepositoryModel) -> RepositorySettings:
    is_local = not _REMOTE.match(model.url)
    return RepositorySettings(
        url=str(here / model.url) if is_local else model.url,
        branch=model.branch,
        path=model.path.strip("/"),
        allow_rewrite=model.allow_rewrite,
        allowed_signers=_below(here, model.allowed_signers),
        credentials=_below(here, model.credentials),
        ca_file=_below(here, model.ca_file),
        poll_seconds=0 if is_local else seconds(model.poll),
        publish=model.publish,
        snapshot=model.publish and model.snapshot,
        signing_key=_below(here, model.signing_key),
        author=Author(model.author_name, model.author_email),
    )


def _listen(here: Path, model: ListenModel) -> ListenSettings:
    return ListenSettings(
        api=ListenAddress.parse(model.api),
        metrics=ListenAddress.parse(model.metrics),
        outside=ListenAddress.parse(model.outside) if model.outside else None,
        tls_certificate=_below(here, model.tls_certificate),
        tls_key=_below(here, model.tls_key),
        client_ca=_below(here, model.client_ca),
        tokens=_below(here, model.tokens),
        webhook_secret=_below(here, model.webhook_secret),
        ask_token=_below(here, model.ask_token),
        ask_certificate=_below(here, model.ask_certificate),
        ask_key=_below(here, model.ask_key),
    )


def _gateway(here: Path, model: GatewayModel) -> GatewaySettings:
    return GatewaySettings(
        address=ListenAddress.parse(model.address),
        certificate=here / model.certificate,
        key=here / model.key,
        hostname=model.hostname or "",
        grpc=ListenAddress.parse(model.grpc) if model.grpc else None,
        connections=model.connections,
        connections_per_client=model.connections_per_client,
        requests_per_minute=model.requests_per_minute,
    )


def _sealing(here: Path, file: HostFile) -> SealingSettings | None:
    if file.sealing is None:
        return None
    identity = _below(here, file.sealing.identity) or here / file.state / IDENTITY_FILE
    return SealingSettings(file.sealing.recipient, identity)


def _key(here: Path, file: HostFile, environment: Mapping[str, str]) -> KeySettings:
    directory, named = environment.get(CREDENTIALS[1:], ""), file.provider.passphrase_file
    path = _below(here, named)
    if named and named.startswith(f"{CREDENTIALS}/"):
        path = Path(directory or CREDENTIALS, named.removeprefix(f"{CREDENTIALS}/"))
    elif path and directory and (loaded := Path(directory, PASSPHRASE_CREDENTIAL)).exists():
        path = loaded
    return KeySettings(
        name=file.provider.key,
        keyring=_below(here, file.provider.keyring) or here / file.state / "keyring",
        backend=file.provider.backend,
        passphrase_file=path,
        is_credential=bool(directory and path and path.is_relative_to(directory)),
    )


def _adapters(
    here: Path, model: AdaptersModel, environment: Mapping[str, str]
) -> Iterator[tuple[str, AdapterAccess]]:
    """Without a kubeconfig, the default adapter has no credentials; for another name that is an error."""
    variable = environment.get("KUBECONFIG", "").split(os.pathsep)[0]
    default = Path(variable).absolute() if variable else None
    for name, entry in model.by_name.items():
        if isinstance(entry, AnsibleAccessModel):
            yield name, host_credentials_of(name, here, entry)
        elif kubeconfig := _below(here, entry.kubeconfig) or default:
            yield name, Kubeconfig(kubeconfig, entry.context or "", entry.programs, name)
        elif name != KUBERNETES:
            raise SettingsError(
                f"adapters.{name} names no kubeconfig, and $KUBECONFIG is not set; add kubeconfig: FILE there"
            )


def _with_clusters(limits: Limits, adapters: Mapping[str, AdapterAccess]) -> Limits:
    """The limits, with the identity of each cluster: a hash of its address, or of the kubeconfig's path."""
    granted = dict(limits.grants.adapters)
    for name, access in adapters.items():
        if isinstance(grant := granted[name], KubernetesGrants) and isinstance(access, Kubeconfig):
            place = server_of(access) or f"{access.path} {access.context}"
            granted[name] = replace(grant, cluster=sha256(place.encode()).hexdigest()[:12])
    return replace(limits, grants=replace(limits.grants, adapters=granted))


def _below(here: Path, path: str | None) -> Path | None:
    """A path in the host file, relative to the file's directory."""
    return here / path if path else None
