from dataclasses import replace
from pathlib import Path

import yaml

from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.chain.keyring import open_keyring
from reconciler.devnet.accounts import CHAIN_ID, PROVIDER, key_of
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.home import BlockPace, DevnetPorts, Facts, Home
from reconciler.devnet.operator_git import git
from reconciler.documents.adapter_models import KubernetesFile
from reconciler.documents.convert import kubernetes_of
from reconciler.settings import Flags, load_settings
from reconciler.values.features import Feature, features_of
from reconciler.values.grants import AnsibleGrants

FACTS = Facts(DevnetPorts(1001, 1002, 1003, 1004, 1005), BlockPace(0.5, 40))


def test_the_host_file_is_complete(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap(home, FACTS)
    settings = load_settings(Flags(home.host_file), {})
    assert settings.repository.url == str(home.repository)
    assert (settings.chain.grpc, settings.chain.rpc) == ("127.0.0.1:1001", "http://127.0.0.1:1002")
    assert (settings.chain.chain_id, settings.poll_seconds) == (CHAIN_ID, 0.1)
    assert (settings.listen.api.port, settings.listen.metrics.port) == (1004, 1005)
    assert settings.adapters["kubernetes"] == Kubeconfig(home.kubeconfig)
    assert settings.state == tmp_path / "state"
    assert settings.limits.capacity is None
    key = open_keyring(settings.key.keyring).key(settings.key.name)
    assert key == key_of(PROVIDER)


def test_a_given_cluster_is_named_and_bounded(tmp_path: Path) -> None:
    bootstrap(Home(tmp_path), Facts(FACTS.ports, FACTS.pace, "/etc/real.yaml"))
    settings = load_settings(Flags(tmp_path / "host.yaml"), {})
    assert settings.adapters["kubernetes"] == Kubeconfig(Path("/etc/real.yaml"))
    assert settings.limits.capacity is not None
    assert settings.limits.capacity.cpu_milli == 64_000


def test_this_machine_is_a_host_only_on_request(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap(home, FACTS)
    assert load_settings(Flags(home.host_file), {}).limits.grants.adapters["ansible"] == AnsibleGrants()
    bootstrap(home, replace(FACTS, this_machine=True))
    granted = load_settings(Flags(home.host_file), {}).limits.grants.adapters["ansible"]
    assert granted == AnsibleGrants(enabled=True, this_machine=True, storage_paths=(str(home.records),))


def test_the_repository_is_the_template_with_short_periods(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap(home, FACTS)
    config = git(home.repository, "show", "main:config.yaml")
    assert config.count("every: 40s") == 2
    assert "every: 24h" not in config
    assert git(home.repository, "rev-parse", "--is-bare-repository").strip() == "true"
    assert "pricing.yaml" in git(home.repository, "ls-tree", "--name-only", "main")
    adapter = git(home.repository, "show", "main:adapters/kubernetes.yaml")
    file = KubernetesFile.model_validate(yaml.safe_load(adapter))
    assert Feature.HOST_NAME in features_of(kubernetes_of(file)).features, "orders of SDL files get bids"


def test_existing_objects_are_not_changed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap(home, FACTS)
    before = git(home.repository, "rev-parse", "main")
    bootstrap(home, FACTS)
    assert git(home.repository, "rev-parse", "main") == before
