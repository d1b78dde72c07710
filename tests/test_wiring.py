"""A restarted daemon: only the revision in force decides about machines."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from urllib.request import urlopen

import pyrage
import pytest

from reconciler.chain.keyring import create_keyring
from reconciler.cli.doctor.repository import check_repository
from reconciler.devnet.accounts import CHAIN_ID, PROVIDER, key_of
from reconciler.settings import Flags, Settings, load_settings
from reconciler.values.ids import LeaseId
from reconciler.values.plans import ApplyWorkload, Plan, Reason, RemoveWorkload
from reconciler.values.readings import Seen
from reconciler.wiring import Daemon, open_daemon
from tests.api.certificates import Authority
from tests.gateway.test_tokens import ALICE, token
from tests.git.forge import Forge
from tests.git.keys import signing_keys
from tests.makers import CLUSTER
from tests.simulation.commits import INGRESS, pricing
from tests.simulation.outside import Outside, WorldState
from tests.simulation.sim import middle
from tests.waiting import wait_until

HOST = """\
repository: {{url: {outside.commits.repository}, {repository}}}
provider: {{name: {name}, key: {name}, keyring: {keyring}, backend: test}}
chain:
  grpc: "{served.grpc_target}"
  rpc: "{served.rpc_url}"
  chain_id: {chain_id}
adapters:
  kubernetes: {{kubeconfig: {outside.kubeconfig}{namespaces}}}
  ansible: {{{ansible}}}
{others}state: {outside.state}
limits: {{{limits}}}
"""
ELSEWHERE = {"adapters/kubernetes.yaml": "enabled: true\nnamespace: kube-system\n"}
THIS_MACHINE = {
    "adapters/ansible.yaml": """\
enabled: true
groups:
  - name: rack
    hosts: [{name: one, address: localhost, capacity: {cpu: 1, memory: 1Gi, storage: 1Gi}}]
"""
}
STRANGE = ELSEWHERE | THIS_MACHINE


@dataclass
class Site:
    """A provider's machine in the middle of the story, and the operator's clone of its repository."""

    outside: Outside
    clone: Forge
    repository: str = "publish: false"
    limits: str = ""
    namespaces: str = ", namespaces: [provider-workloads, kube-system]"
    ansible: str = "enabled: true, this_machine: true"
    others: str = ""

    def sign(self) -> None:
        """From now on commits are signed, and only such are applied."""
        keys = signing_keys(self.outside.directory)
        for key, value in {
            "gpg.format": "ssh",
            "commit.gpgsign": "true",
            "user.signingkey": f"{keys}/listed",
        }.items():
            self.clone.git("config", key, value)
        self.repository += f", allowed_signers: {keys}/allowed"

    def commit(self, subject: str, files: dict[str, str]) -> str:
        """A commit, pushed by force."""
        given = {path.replace("/", "__"): text for path, text in files.items()}
        made = self.clone.commit(subject, **given)
        self.push("HEAD")
        return made

    def push(self, commit: str) -> None:
        """Make this commit the newest of the desired branch."""
        self.clone.git("push", "--quiet", "--force", "origin", f"{commit}:refs/heads/main")

    def settings(self) -> Settings:
        """Of the host file as it is now."""
        keyring = self.outside.directory / "keyring"
        if not keyring.exists():
            create_keyring(keyring).add(PROVIDER, key_of(PROVIDER))
        path = self.outside.directory / "host.yaml"
        path.write_text(
            HOST.format(
                outside=self.outside,
                served=self.outside.served,
                name=PROVIDER,
                chain_id=CHAIN_ID,
                keyring=keyring,
                repository=self.repository,
                limits=self.limits,
                namespaces=self.namespaces,
                ansible=self.ansible,
                others=self.others.format(kubeconfig=self.second_kubeconfig()),
            )
        )
        return load_settings(Flags(path), {})

    def second_kubeconfig(self) -> Path:
        """The same cluster under another address, which counts as another cluster."""
        path = self.outside.directory / "second-kubeconfig"
        path.write_text(self.outside.kubeconfig.read_text().replace("127.0.0.1", "localhost"))
        return path

    @contextmanager
    def daemon(self) -> Iterator[Daemon]:
        """A daemon that starts now."""
        with open_daemon(self.settings()) as made:
            yield made

    def plan(self, daemon: Daemon) -> Plan:
        """What a few cycles do, each followed by a block; the last of their plans."""
        for _ in range(3):
            made = daemon.runner.run_cycle().planned.plan
            self.outside.step()
        return made

    def strange(self) -> list[str]:
        """What of ours is where only a refused revision wants it."""
        kinds = ("deployments", "services", "resourcequotas")
        found = [
            o["metadata"]["name"] for kind in kinds for o in self.outside.cluster.objects(kind, "kube-system")
        ]
        space = self.outside.cluster.get("namespaces", "", "kube-system") or {"metadata": {}}
        return found + [
            label for label in space["metadata"].get("labels") or {} if label != "kubernetes.io/metadata.name"
        ]


@pytest.fixture(scope="module")
def mid_run(tmp_path_factory: pytest.TempPathFactory) -> WorldState:
    """Two workloads run."""
    return middle(tmp_path_factory.mktemp("middle"))


@pytest.fixture
def site(mid_run: WorldState, tmp_path: Path) -> Iterator[Site]:
    outside = Outside.at(mid_run, tmp_path / "world")
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(outside.commits.repository), ".")
    yield Site(outside, clone)
    outside.close()


def rewritten(site: Site) -> Reason:
    site.clone.git("checkout", "--quiet", "--orphan", "other")
    site.commit("Another history", STRANGE)
    return Reason.REWRITTEN_HISTORY


def price_jump(site: Site) -> Reason:
    site.limits = "price_change_percent: 20"
    site.commit("Dearer, elsewhere", {"pricing.yaml": pricing("2"), **STRANGE})
    return Reason.PRICE_JUMP


def mass_removal(site: Site) -> Reason:
    site.limits = "removals_per_revision: 1"
    site.clone.git("rm", "--quiet", "-r", "workloads")
    site.commit("Nothing runs any more", STRANGE)
    return Reason.MASS_REMOVAL


def unsigned(site: Site) -> Reason:
    site.sign()
    site.clone.git("config", "commit.gpgsign", "false")
    site.commit("By nobody", STRANGE)
    return Reason.UNSIGNED


def signed_long_ago(site: Site) -> Reason:
    """A signed commit that was taken back before the one in force, pushed again by force."""
    site.sign()
    old = site.commit("Elsewhere", STRANGE)
    site.clone.git("revert", "--no-edit", "HEAD")
    site.push("HEAD")
    with site.daemon() as daemon:
        assert site.plan(daemon).revision == site.clone.git("rev-parse", "HEAD")
    site.push(old)
    return Reason.REWRITTEN_HISTORY


@pytest.mark.parametrize("refused", [rewritten, price_jump, mass_removal, unsigned, signed_long_ago])
def test_a_refused_revision_decides_nothing_after_a_restart(
    site: Site, refused: Callable[[Site], Reason]
) -> None:
    reason = refused(site)
    with site.daemon() as daemon:
        made = site.plan(daemon)
        assert site.strange() == []
        assert reason in {hold.reason for hold in made.holds}
        assert list(daemon.inspectors) == ["kubernetes"]
        look = daemon.environment.adapters["kubernetes"].observe
        view = wait_until(lambda: found if isinstance(found := look().workloads, Seen) else None, "a view")
        assert view is not None
        assert len(view.view) == 2


def test_adapters_start_with_the_first_admitted_revision(site: Site) -> None:
    """Also where the journal and the mirror, which knew the one in force, are lost."""
    for path in site.outside.state.glob("journal*"):
        path.unlink()
    rmtree(site.outside.state / "mirror.git")
    reason = unsigned(site)
    with site.daemon() as daemon:
        made = site.plan(daemon)
        assert (made.revision, reason in {hold.reason for hold in made.holds}) == ("", True)
        assert not daemon.inspectors

        site.clone.git("config", "commit.gpgsign", "true")
        site.commit("As it was", {"adapters/kubernetes.yaml": "network_policy: other\n"})
        site.clone.git("rm", "--quiet", "adapters/ansible.yaml")
        newest = site.commit("As it was", {})
        assert site.plan(daemon).revision == newest
        assert list(daemon.inspectors) == ["kubernetes"]
    assert site.strange() == []


@pytest.mark.parametrize("lost", [False, True])
def test_ungranted_settings_of_an_admitted_revision_are_denied(site: Site, *, lost: bool) -> None:
    site.namespaces, site.ansible = "", "enabled: true"
    newest = site.commit("Elsewhere", STRANGE)
    for path in site.outside.state.glob("journal*") if lost else ():
        path.unlink()
    with site.daemon() as daemon:
        made = site.plan(daemon)
        assert (made.revision, daemon.inspectors) == (newest, {})
        denied = {h.subject.name: h.message for h in made.holds if h.reason is Reason.ADAPTER_DENIED}
        assert "namespace kube-system" in denied["kubernetes"]
        assert "this machine" in denied["ansible"]
    assert site.strange() == []


def test_a_revision_beyond_its_grants_is_held(site: Site) -> None:
    """Nothing of its file runs, also before the next restart."""
    site.namespaces, site.ansible = "", "enabled: true"
    with site.daemon() as daemon:
        site.plan(daemon)
        assert list(daemon.inspectors) == ["kubernetes"]
        site.commit("Elsewhere", ELSEWHERE)
        made = site.plan(daemon)
        assert {h.subject.name for h in made.holds if h.reason is Reason.ADAPTER_DENIED} > {"kubernetes"}
        site.clone.git("revert", "--no-edit", "HEAD")
        site.push("HEAD")
        assert not [h for h in site.plan(daemon).holds if h.reason is Reason.ADAPTER_DENIED]
    assert site.strange() == []


EAST = "  east: {{kind: KubernetesAdapter, kubeconfig: {kubeconfig}, namespaces: [kube-system]}}\n"
EAST_FILE = {"adapters/east.yaml": "kind: KubernetesAdapter\nnamespace: kube-system\n"}


def is_observed(daemon: Daemon, name: str) -> bool:
    found = daemon.environment.adapters.get(name)
    return found is not None and isinstance(found.observe().workloads, Seen)


def test_an_adapter_file_applies_when_its_revision_is_admitted(site: Site) -> None:
    """It is added, changed and removed while the daemon runs; the other adapter goes on."""
    site.others = EAST
    with site.daemon() as daemon:
        site.plan(daemon)
        assert list(daemon.inspectors) == ["kubernetes"]
        first = daemon.environment.adapters["kubernetes"]
        site.commit("Another cluster", EAST_FILE)
        site.plan(daemon)
        wait_until(lambda: is_observed(daemon, "east"), "the new adapter")
        site.commit("Deny its nodes", {"adapters/east.yaml": EAST_FILE["adapters/east.yaml"] + DENIED})
        east = daemon.environment.adapters["east"]
        site.plan(daemon)
        wait_until(
            lambda: is_observed(daemon, "east") and daemon.environment.adapters["east"] is not east,
            "the changed adapter",
        )
        site.clone.git("rm", "--quiet", "adapters/east.yaml")
        site.commit("One cluster suffices", {})
        made = site.plan(daemon)
        assert list(daemon.inspectors) == ["kubernetes"]
        assert daemon.environment.adapters["kubernetes"] is first
        assert not [h for h in made.holds if h.reason in (Reason.ADAPTER_DENIED, Reason.ADAPTER_UNKNOWN)]


DENIED = 'egress_denied: ["203.0.113.0/24"]\n'


RENAMED = {"adapters/east.yaml": "kind: KubernetesAdapter\n"}


def pods(site: Site) -> set[str]:
    found = site.outside.cluster.objects("pods", "provider-workloads")
    return {each["metadata"]["uid"] for each in found}


def rename(site: Site) -> str:
    site.others = EAST.replace("kube-system", "provider-workloads")
    site.clone.git("rm", "--quiet", "adapters/kubernetes.yaml")
    for path in site.clone.path.glob("workloads/*.yaml"):
        path.write_text(path.read_text().replace("adapter: kubernetes\n", ""))
    site.clone.git("add", "-A")
    return site.commit("Call it east", RENAMED)


def test_a_renamed_adapter_takes_over_what_runs(site: Site) -> None:
    before = pods(site)
    newest = rename(site)
    with site.daemon() as daemon:
        assert site.plan(daemon).revision == newest
        view = daemon.environment.adapters["east"].observe().workloads
        assert isinstance(view, Seen)
        assert len(view.view) == 2
        assert not [a for a in site.plan(daemon).actions if isinstance(a, ApplyWorkload | RemoveWorkload)]
    assert (len(before), pods(site)) == (2, before)


def test_an_entry_that_is_removed_from_the_host_file_lets_workloads_run_on(site: Site) -> None:
    before = pods(site)
    rename(site)
    with site.daemon() as daemon:
        site.plan(daemon)
        assert list(daemon.inspectors) == ["east"]
    site.others = ""
    with site.daemon() as daemon:
        made = site.plan(daemon)
        assert list(daemon.inspectors) == []
        [why] = [h.message for h in made.holds if h.subject.name == "east"]
        assert "the host file has no entry for adapters/east.yaml" in why
    assert pods(site) == before


@pytest.mark.parametrize("refused", [rewritten, price_jump, unsigned])
def test_doctor_does_not_contact_hosts_of_a_refused_revision(
    site: Site, refused: Callable[[Site], Reason]
) -> None:
    refused(site)
    examined = check_repository(site.settings(), key_of(PROVIDER).address)
    wanted = None
    while True:
        try:
            next(examined)
        except StopIteration as end:
            wanted = end.value
            break
    assert wanted is None or wanted.adapters == {"kubernetes": replace(CLUSTER, ingress=INGRESS)}
    assert (wanted is None) is (refused is rewritten), "a rewritten history holds no revision in force"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def test_a_tenant_is_served_by_the_daemon(site: Site, tmp_path: Path) -> None:  # a fixture
    authority, port = Authority(tmp_path), free_port()
    certificate, key = authority.issue("gateway")
    recipient = pyrage.x25519.Identity.generate().to_public()
    site.others = (
        f'gateway:\n  address: "127.0.0.1:{port}"\n  certificate: {certificate}\n  key: {key}\n'
        f"sealing:\n  recipient: {recipient}\n"
    )
    now = int(time.time())
    with site.daemon() as daemon:
        daemon.snapshots.publish(daemon.runner.run_cycle().snapshot)
        with daemon.serve() as (_, metrics):
            leases = (LeaseId.parse(each.lease) for each in daemon.snapshots.snapshot.workloads)
            order = next(lease.order for lease in leases if lease.order.owner == ALICE.address)
            bearer = {"Authorization": f"Bearer {token(iat=now, nbf=now, exp=now + 60)}"}
            path = f"/lease/{order.dseq}/{order.gseq}/{order.oseq}/status"
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=authority.client())
            connection.request("GET", path, headers=bearer)
            response = connection.getresponse()
            assert response.status == 200  # although the chain's clock is ahead, so that it is unseen
            assert [*json.loads(response.read())["services"]] == ["web"]
            connection.request("PUT", f"/deployment/{order.dseq}/manifest", b"[]", bearer)
            refused = connection.getresponse()
            assert (refused.status, refused.read()) == (422, b"invalid manifest: manifest is empty\n")
            connection.close()
            page = urlopen(f"http://{metrics}/metrics").read().decode()
    assert 'virtengine_provider_gateway_responses_total{route="status",status="200"} 1.0' in page
    assert 'virtengine_provider_certificate_expiry_timestamp_seconds{site="tenants\' gateway"}' in page
