"""The host file: what is found where, and what is said when it is wrong."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.settings import Flags, SettingsError, host_file, load_settings, read_passphrase
from reconciler.values.grants import AnsibleGrants, Grants, KubernetesGrants, SecretGrant
from reconciler.values.limits import Limits
from reconciler.values.listen_address import ListenAddress
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import MB, Resources
from tests.api.certificates import Authority

LEAST = """\
repository:
  url: https://git.example.org/state.git
chain:
  grpc: 127.0.0.1:9090
  rpc: http://127.0.0.1:26657
  chain_id: virtengine-1
"""

MOST = """\
apiVersion: provider.virtengine.dev/v1alpha1
kind: Host
repository:
  url: desired.git
  branch: live
  path: eu/one/
  allow_rewrite: true
  allowed_signers: signers
  publish: false
  author_name: One
  author_email: one@example.org
provider:
  name: one
  key: hot
  keyring: keys
  backend: test
  passphrase_file: /run/secret
chain:
  grpc: node.example.org:443
  rpc: https://node.example.org/rpc
  chain_id: virtengine-1
  tls: true
adapters:
  kubernetes:
    kubeconfig: kube.yaml
    context: prod
    namespaces: [blue, green]
  ansible:
    enabled: true
    hosts: [192.0.2.0/24, node.example]
    this_machine: true
    sudo: true
    storage_paths: [/srv/records]
secrets:
  - {name: db/password, workloads: [7-1-1-abcdefghij]}
state: state
listen:
  api: "[::1]:0"
  metrics: localhost:9
limits:
  messages_per_transaction: 10
  spend_per_hour: 5uve
  price_change_percent: 20
  price_min:
    gpu: 2.5uve
  clock_skew: 2m
  gas_adjustment: 1.3
  gas_price_max: 0.2uve
  capacity:
    cpu: 2
    memory: 4Gi
    storage: 10Gi
timing:
  poll_seconds: 0.2
  cycle_at_most_seconds: 30
"""


def write(directory: Path, text: str) -> Flags:
    """A host file in a directory."""
    path = directory / "host.yaml"
    path.write_text(text)
    return Flags(host=path)


def test_the_minimal_host_file_has_the_documented_defaults(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, LEAST), {})
    assert found.limits == Limits()
    assert (found.provider, found.key.name, found.key.backend) == ("provider", "provider", "file")
    assert found.state == Path("/var/lib/provider-daemon")
    assert found.key.keyring == Path("/var/lib/provider-daemon/keyring")
    assert (found.api, found.listen.metrics) == (
        ListenAddress("127.0.0.1", 8443),
        ListenAddress("127.0.0.1", 8444),
    )
    assert (found.repository.branch, found.repository.is_local) == ("main", False)
    assert list(found.adapters) == ["ansible"]


def test_all_keys_are_read_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, MOST), {"KUBECONFIG": "/ignored"})
    unreadable = sha256(f"{tmp_path / 'kube.yaml'} prod".encode()).hexdigest()[:12]
    assert found.repository.url == str(tmp_path / "desired.git")
    assert found.repository.is_local
    assert found.repository.path == "eu/one"
    assert found.repository.allowed_signers == tmp_path / "signers"
    assert found.key.keyring == tmp_path / "keys"
    assert found.key.passphrase_file == Path("/run/secret")
    cluster = found.adapters["kubernetes"]
    assert isinstance(cluster, Kubeconfig)
    assert cluster.path == tmp_path / "kube.yaml"
    assert (found.api, found.listen.metrics) == (ListenAddress("::1", 0), ListenAddress("localhost", 9))
    assert (found.poll_seconds, found.cycle_at_most_seconds) == (0.2, 30)
    assert found.limits == Limits(
        messages_per_transaction=10,
        spend_per_hour=5,
        price_change_percent=20,
        price_min={"gpu": Decimal("2.5")},
        allow_rewrite=True,
        require_signature=True,
        clock_skew_seconds=120,
        gas_adjustment=Decimal("1.3"),
        gas_price_max=Decimal("0.2"),
        capacity=Resources(2000, 4096 * MB, 10 * 1024 * MB),
        grants=Grants(
            {
                "kubernetes": KubernetesGrants(("blue", "green"), cluster=unreadable),
                "ansible": AnsibleGrants(
                    True, ("192.0.2.0/24", "node.example"), True, True, ("/srv/records",)
                ),
            },
            secrets=(SecretGrant("db/password", workloads=frozenset({"7-1-1-abcdefghij"})),),
        ),
    )


@pytest.mark.parametrize("url", ["ssh://git@host/state.git", "git@host:state.git", "file:///srv/state.git"])
def test_urls_are_not_resolved_as_paths(tmp_path: Path, url: str) -> None:
    found = load_settings(write(tmp_path, LEAST.replace("https://git.example.org/state.git", url)), {})
    assert (found.repository.url, found.repository.is_local) == (url, False)


def test_the_option_precedes_the_environment_and_the_default(tmp_path: Path) -> None:
    environment = {"PROVIDER_DAEMON_HOST": "/srv/host.yaml"}
    assert host_file(Flags(host=tmp_path), environment) == tmp_path
    assert host_file(Flags(), environment) == Path("/srv/host.yaml")
    assert host_file(Flags(), {}) == Path("/etc/provider-daemon.yaml")


def test_flags_and_environment_reach_the_settings(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST).host
    found = load_settings(
        Flags(observe_only=True), {"PROVIDER_DAEMON_HOST": str(path), "KUBECONFIG": "/k:/l"}
    )
    assert found.limits.observe_only
    assert found.adapters["kubernetes"] == Kubeconfig(Path("/k"))


def test_the_stop_file_is_checked_each_time(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, LEAST + f"state: {tmp_path}\n"), {})
    assert not found.limits_now().stop_spending
    found.stop_file.touch()
    assert found.limits_now().stop_spending
    found.stop_file.unlink()
    assert not found.limits_now().stop_spending


def test_the_rate_is_read_each_time(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, LEAST + "rate: {currency: usd, file: usd.json, max_age: 6h}\n"), {})
    missing, file = found.limits_now().rate, tmp_path / "usd.json"
    assert missing is not None
    assert isinstance(missing.reading, Unseen)
    assert missing.reading.why.startswith(f"{file.name}: it cannot be read: there is no such file (write ")
    file.write_text('{"rate": 40.5, "time": 1800000000}')
    rate = ExchangeRate(Decimal("40.5"), 1_800_000_000)
    assert found.limits_now().rate == RateSource("usd", 21_600, Seen(rate))
    file.write_text("0 1800000000")
    zero = found.limits_now().rate
    assert zero is not None
    assert isinstance(zero.reading, Unseen)
    assert zero.reading.why.startswith(f"{file.name}:1:1: the rate is 0 ")


def test_a_missing_host_file_has_an_error_message(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"host.yaml cannot be read: No such file .*; name yours with --host"
    ):
        load_settings(Flags(host=tmp_path / "host.yaml"), {})


@pytest.mark.parametrize(
    ("good", "bad", "where"),
    [
        (
            "chain_id: virtengine-1",
            "chain-id: virtengine-1",
            ":6:3: chain.chain-id: unknown key chain-id (did",
        ),
        ("  chain_id: virtengine-1\n", "", ":3:1: chain: the key chain_id is missing (add it: "),
        (
            "rpc: http://127.0.0.1:26657",
            "rpc: 127.0.0.1",
            ':5:8: chain.rpc: "127.0.0.1" is not an HTTP address',
        ),
        ("rpc: http://127.0.0.1:26657", "rpc: http://x:y", ':5:8: chain.rpc: "http://x:y" is not an HTTP'),
        ("rpc: http://127.0.0.1:26657", "rpc: http://node:1", ":5:8: chain.rpc: http://node:1 is on another"),
        ("grpc: 127.0.0.1:9090", "grpc: node:9090", ":4:9: chain.grpc: node:9090 is on another machine"),
        (
            "chain_id: virtengine-1",
            "chain_id: virtengine-1\n  witness: {grpc: 'b:1', rpc: 'https://b:2'}",
            ":7:19: chain.witness.grpc: b:1 is on another machine",
        ),
        (
            "chain_id: virtengine-1",
            "chain_id: virtengine-1\n  witness: {grpc: '127.0.0.1:9090', rpc: 'http://[::1]:2'}",
            ":7:12: chain.witness: the witness is the node itself",
        ),
        ("grpc: 127.0.0.1:9090", "grpc: node", ':4:9: chain.grpc: "node" is not a host and a port (write'),
        ("chain:", "  path: ../x\nchain:", ':3:9: repository.path: "../x" points outside the repository'),
        ("url: https:", "url: -https:", ":2:8: repository.url: "),
        (
            "chain:",
            "listen:\n  api: 0.0.0.0:1\nchain:",
            ":4:8: listen.api: 0.0.0.0:1 is not a loopback address",
        ),
        (
            "chain:",
            "listen:\n  metrics: x\nchain:",
            ':4:12: listen.metrics: "x" is not an address and a port',
        ),
        (
            "chain:",
            "limits:\n  spend_per_hour: 5\nchain:",
            ":4:19: limits.spend_per_hour: 5 has no denomination",
        ),
        ("chain:", "limits:\n  timeout_blocks: 21\nchain:", ":4:19: limits.timeout_blocks: 21 is too large"),
        ("chain:", "timing:\n  poll_seconds: 0.01\nchain:", ":4:17: timing.poll_seconds: 0.01 is too small"),
        (
            "chain:",
            "limits:\n  price_min: {gpu: 2uve}\n  price_max: {gpu: 1uve}\nchain:",
            ":4:20: limits.price_min.gpu: exceeds limits.price_max",
        ),
        (
            "chain:",
            "adapters: {ansible: {hosts: [192.0.2.1/24]}}\nchain:",
            ":3:30: adapters.ansible.hosts.0: 192.0.2.1/24 has host bits set (write a range as",
        ),
        (
            "chain:",
            "adapters: {ansible: {storage_paths: [/srv/../etc]}}\nchain:",
            ":3:38: adapters.ansible.storage_paths.0: ",
        ),
        (
            "chain:",
            "secrets: [{name: db}]\nchain:",
            ":3:11: secrets.0: the secret db has no grantee (name workloads or tenants)",
        ),
        ("chain:", "state: &a x\nchain:", ":3:8: the anchor &a"),
        (LEAST, "- x\n", ":1:1: the host file has no keys"),
        (LEAST, "", ":1:1: the host file has no keys"),
    ],
)
def test_errors_have_their_position(tmp_path: Path, good: str, bad: str, where: str) -> None:
    assert good in LEAST
    flags = write(tmp_path, LEAST.replace(good, bad, 1))
    with pytest.raises(SettingsError) as caught:
        load_settings(flags, {})
    assert any(line.startswith(f"{flags.host}{where}") for line in str(caught.value).splitlines())


OUTSIDE = """\
listen:
  outside: "[2001:db8::7]:8443"
  metrics: 192.0.2.7:8444
  tls_certificate: tls/chain.pem
  tls_key: /etc/key.pem
  client_ca: clients.pem
  tokens: tokens
  webhook_secret: hook
"""


def test_remote_access_settings_are_read(tmp_path: Path) -> None:
    found = load_settings(write(tmp_path, LEAST + OUTSIDE), {}).listen
    assert found.api == ListenAddress("127.0.0.1", 8443)
    assert (found.outside, found.metrics) == (
        ListenAddress("2001:db8::7", 8443),
        ListenAddress("192.0.2.7", 8444),
    )
    assert (found.tls_certificate, found.tls_key) == (tmp_path / "tls/chain.pem", Path("/etc/key.pem"))
    assert (found.client_ca, found.tokens) == (tmp_path / "clients.pem", tmp_path / "tokens")
    assert found.webhook_secret == tmp_path / "hook"


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        (
            ("tls_key",),
            "is not a loopback address and has no TLS (set listen.tls_certificate and listen.tls_k",
        ),
        (
            ("client_ca", "tokens"),
            "is not a loopback address and has no authentication (set listen.tokens or l",
        ),
    ],
)
def test_remote_access_without_tls_or_authentication_is_refused(
    tmp_path: Path, without: tuple[str, ...], sentence: str
) -> None:
    kept = [line for line in OUTSIDE.splitlines() if line.split(":")[0].strip() not in without]
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, LEAST + "\n".join(kept) + "\n"), {})
    told = str(caught.value).splitlines()
    assert {line.split(": ")[1] for line in told} == {"listen.outside", "listen.metrics"}
    assert all(sentence in line for line in told)


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    flags = write(tmp_path, LEAST.replace("http:", "ftp:") + "listen:\n  api: x\n  metrics: 1.2.3.4:5\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(flags, {})
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "chain.rpc",
        "listen.api",
        "listen.metrics",
        "listen.metrics",
    ]


def test_the_passphrase_is_the_first_line_of_a_private_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\nnever read\n")
    secret.chmod(0o600)
    key = load_settings(write(tmp_path, MOST.replace("/run/secret", "secret")), {}).key
    assert read_passphrase(key) == "open sesame"
    secret.chmod(0o640)
    with pytest.raises(SettingsError, match=r"secret is readable by others; run chmod 600"):
        read_passphrase(key)
    secret.unlink()
    with pytest.raises(
        SettingsError, match=r"cannot be read: No such file .*; write the keyring's passphrase"
    ):
        read_passphrase(key)
    assert read_passphrase(load_settings(write(tmp_path, LEAST), {}).key) is None


@pytest.mark.parametrize(
    ("grpc", "rpc", "more"),
    [
        ("node.example:9090", "https://node.example:26657", "tls: true"),
        ("node.example:9090", "http://node.example:26657", "plaintext: true"),
        ("localhost:9090", "http://[::1]:26657", "tls: false"),
    ],
)
def test_a_remote_node_requires_tls_by_default(tmp_path: Path, grpc: str, rpc: str, more: str) -> None:
    text = LEAST.replace("127.0.0.1:9090", f'"{grpc}"').replace("http://127.0.0.1:26657", f'"{rpc}"')
    (tmp_path / "host.yaml").write_text(f"{text}  {more}\n")
    chain = load_settings(Flags(tmp_path / "host.yaml"), {}).chain
    assert (chain.grpc, chain.rpc, chain.node.tls, chain.witness) == (grpc, rpc, "tls: true" in more, None)


def test_the_authorities_of_a_node_and_its_witness_are_read(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    witness = "witness: {grpc: 'b:1', rpc: 'https://b:2', tls: true}"
    (tmp_path / "host.yaml").write_text(f"{LEAST}  ca_file: {authority.file.name}\n  {witness}\n")
    chain = load_settings(Flags(tmp_path / "host.yaml"), {}).chain
    assert chain.node.authorities == authority.file.read_text()
    assert chain.witness is not None
    assert (chain.witness.grpc, chain.witness.authorities) == ("b:1", "")
    authority.file.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"chain\.ca_file: .* contains no certificates"):
        load_settings(Flags(tmp_path / "host.yaml"), {})
