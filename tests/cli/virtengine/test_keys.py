"""`virtengine keys`: keyrings that the real client made, shown as it shows them."""

import io
import json
import shutil
from pathlib import Path

import pytest
import yaml

from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.main import virtengine
from tests.cli.recorded_state import VECTORS, people

RECORDED = VECTORS / "keyrings"
PROVIDER = people()["provider"].address
PASSPHRASE = "correct horse"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(virtengine, ["keys", *arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host file whose keyring is the recorded `file` one, opened by a passphrase file."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    passphrase.chmod(0o600)
    file = tmp_path / "host.yaml"
    file.write_text(
        f"""\
repository:
  url: {tmp_path}/state.git
provider:
  name: local
  key: provider
  keyring: {RECORDED}
  backend: file
  passphrase_file: {passphrase}
chain:
  chain_id: virtengine-localnet-1
  grpc: 127.0.0.1:9090
  rpc: http://127.0.0.1:26657
state: {tmp_path}/state
"""
    )
    return file


@pytest.mark.parametrize("place", ["home", "keyring-dir", "backend", "directory itself", "environment"])
def test_the_keyring_may_be_named_in_many_ways(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    ways = {
        "home": ["--home", str(RECORDED)],
        "keyring-dir": ["--keyring-dir", str(RECORDED)],
        "backend": ["--home", str(RECORDED), "--keyring-backend", "test"],
        "directory itself": ["--keyring-dir", str(RECORDED / "keyring-test")],
        "environment": [],
    }
    if place == "environment":
        monkeypatch.setenv("VE_HOME", str(RECORDED))
        monkeypatch.setenv("VE_KEYRING_BACKEND", "test")
        monkeypatch.setenv("VE_OUTPUT", "json")
    assert told(capsys, "show", "provider", "-a", *ways[place]) == (0, f"{PROVIDER}\n", "")


def test_the_host_file_names_the_keyring_and_opens_it(capsys: pytest.CaptureFixture[str], host: Path) -> None:
    assert told(capsys, "show", "provider", "-a", "--host", str(host)) == (0, f"{PROVIDER}\n", "")
    code, out, _ = told(capsys, "list", "--host", str(host), "--output", "json")
    assert (code, [key["name"] for key in json.loads(out)]) == (0, ["provider", "second"])
    code, out, _ = told(capsys, "list", "--host", str(host), "--keyring-backend", "test", "--output", "json")
    assert (code, len(json.loads(out))) == (0, 7)


def test_a_key_is_found_by_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "show", PROVIDER, "--home", str(RECORDED), "--output", "json")
    assert code == 0
    assert json.loads(out)["name"] == "provider"


def test_all_keys_as_yaml_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = told(capsys, "list", "--home", str(RECORDED))
    _, line, _ = told(capsys, "list", "--home", str(RECORDED), "-o", "json")
    keys = json.loads(line)
    assert yaml.safe_load(text) == [{**key, "mnemonic": ""} for key in keys]
    assert {key["name"]: key["address"] for key in keys} == {n: k.address for n, k in people().items()}


def test_an_address_has_no_output_form(capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("text", "json"):
        code, out, err = told(capsys, "show", "provider", "-a", "--output", output, "--home", str(RECORDED))
        assert (code, out) == (USAGE_ERROR, "")
        assert "cannot use --output with --address" in err


def test_a_locked_keyring_opens_with_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("show", "second", "-a", "--home", str(RECORDED), "--keyring-backend", "file")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSPHRASE}\n"))
    assert told(capsys, *command)[0] == 0
    for wrong in ("", "wrong horse\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(wrong))
        code, out, err = told(capsys, *command)
        assert (code, out) == (1, "")
        advice = "provide the one it was created with"
        assert err == f"error: the passphrase of {RECORDED}/keyring-file is wrong; {advice}\n"


def test_what_is_missing_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known, add = (
        "alice, bob, charlie, provider, rival, third, validator",
        "add it with provider-daemon keys add",
    )
    assert told(capsys, "show", "nobody", "-a", "--home", str(RECORDED)) == (
        1,
        "",
        f"error: {RECORDED}/keyring-test has no key 'nobody'; use one of {known}, or {add}\n",
    )
    assert told(capsys, "list", "--home", str(tmp_path)) == (
        1,
        "",
        f"error: {tmp_path} contains no keyring; create one with provider-daemon keys add NAME\n",
    )
    code, out, err = told(capsys, "list", "--host", str(tmp_path / "none.yaml"))
    assert (code, out) == (1, "")
    assert err.endswith("; or name the keyring with --keyring-dir DIR\n")


def test_an_empty_keyring_has_the_message_of_the_real_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keyring-test").mkdir()
    assert told(capsys, "list", "--home", str(tmp_path)) == (0, "No records were found in keyring\n", "")
    assert told(capsys, "list", "--home", str(tmp_path), "-o", "json") == (0, "[]\n", "")


def test_a_damaged_key_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(RECORDED / "keyring-test", tmp_path / "keyring-test")
    (tmp_path / "keyring-test" / "alice.info").write_text("nonsense")
    code, out, err = told(capsys, "list", "--home", str(tmp_path))
    assert (code, out) == (1, "")
    assert err == f"error: {tmp_path}/keyring-test/alice.info cannot be decrypted with this passphrase\n"


@pytest.mark.parametrize(
    "arguments", [("show",), ("show", "x", "--keyring-backend", "os"), ("list", "-o", "xml")]
)
def test_wrong_usage_is_64(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert told(capsys, *arguments)[0] == USAGE_ERROR
