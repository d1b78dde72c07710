"""Keyring directories, held to those that the real client made."""

import json
import shutil
import stat
from base64 import b64decode
from pathlib import Path

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from reconciler.chain.keyring import (
    KeyExistsError,
    KeyLockedError,
    KeyMissingError,
    create_keyring,
    open_keyring,
)
from reconciler.chain.keys import key_from_words
from tests.chain.recordings import VECTORS
from tests.chain.test_keys import WORDS, recorded

RECORDED = VECTORS / "keyrings"
PASSPHRASE = "correct horse"  # of the recorded keyring-file


def inside(path: Path, passphrase: str) -> tuple[dict[str, object], dict[str, object]]:
    """Header and content of an item, opened without the module under test."""
    token = JWE(algs=["PBES2-HS256+A128KW", "A256GCM"])
    token.deserialize(path.read_text(), JWK.from_password(passphrase))
    return token.jose_header, json.loads(token.payload)


def test_the_recorded_test_directory_opens() -> None:
    keyring = open_keyring(RECORDED / "keyring-test")
    entries = {entry.name: entry for entry in keyring.entries()}
    assert sorted(entries) == sorted(WORDS)
    for name, (address, secret) in recorded().items():
        assert (entries[name].type, entries[name].address) == ("local", address)
        assert keyring.key(name).secret.hex() == secret
        assert keyring.show(address).name == name


def test_the_recorded_file_directory_opens_with_its_passphrase() -> None:
    keyring = open_keyring(RECORDED / "keyring-file", PASSPHRASE)
    assert [entry.name for entry in keyring.entries()] == ["provider", "second"]
    assert keyring.key("provider") == key_from_words(WORDS["provider"])


def test_a_home_with_one_keyring_is_found(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "keyring-test", tmp_path / "keyring-test")
    assert open_keyring(tmp_path).directory == tmp_path / "keyring-test"
    shutil.copytree(RECORDED / "keyring-file", tmp_path / "keyring-file")
    with pytest.raises(KeyMissingError, match="name one of them"):
        open_keyring(tmp_path)


@pytest.mark.parametrize("passphrase", [None, "", "correct horses"])
def test_a_wrong_passphrase_is_reported(passphrase: str | None) -> None:
    with pytest.raises(KeyLockedError, match="keyring-file"):
        open_keyring(RECORDED / "keyring-file", passphrase)


def test_a_missing_key_lists_the_existing_ones() -> None:
    with pytest.raises(KeyMissingError, match="no key 'nosuch'; use one of alice, bob"):
        open_keyring(RECORDED / "keyring-test").show("nosuch")
    with pytest.raises(KeyMissingError, match="not an address"):
        open_keyring(RECORDED / "keyring-test").show("ve1nosuch")


def test_a_missing_directory_has_advice(tmp_path: Path) -> None:
    with pytest.raises(KeyMissingError, match="keys add"):
        open_keyring(tmp_path / "nowhere")


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_an_added_key_has_the_form_of_a_recorded_one(tmp_path: Path, passphrase: str | None) -> None:
    keyring = create_keyring(tmp_path, passphrase)
    entry = keyring.add("provider", key_from_words(WORDS["provider"]))
    assert entry == open_keyring(tmp_path, passphrase).show("provider")
    original = RECORDED / ("keyring-test" if passphrase is None else "keyring-file")
    for name in ("provider.info", "a12daaf3c2c1505b288353b62cb3b4021c60c344.address"):
        made, theirs = keyring.directory / name, original / name
        header, content = inside(made, passphrase or "test")
        their_header, their_content = inside(theirs, passphrase or "test")
        assert content == their_content
        assert list(content) == list(their_content)
        assert sorted(header) == sorted(their_header)
        assert [header[k] for k in ("alg", "enc", "p2c")] == [their_header[k] for k in ("alg", "enc", "p2c")]
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        # what is not in the protected header would be lost to the other client
        assert json.loads(b64decode(made.read_text().split(".")[0] + "==")) == header


def test_the_passphrase_check_has_the_recorded_form(tmp_path: Path) -> None:
    made = (create_keyring(tmp_path, PASSPHRASE).directory / "keyhash").read_text()
    theirs = (RECORDED / "keyring-file" / "keyhash").read_text()
    assert (made[:7], len(made)) == (theirs[:7], len(theirs)) == ("$2a$10$", 60)


def test_an_existing_name_or_address_is_not_overwritten(tmp_path: Path) -> None:
    keyring = create_keyring(tmp_path)
    keyring.add("provider", key_from_words(WORDS["provider"]))
    with pytest.raises(KeyExistsError):
        keyring.add("provider", key_from_words(WORDS["bob"]))
    with pytest.raises(KeyExistsError):
        keyring.add("other", key_from_words(WORDS["provider"]))
    assert [entry.name for entry in keyring.entries()] == ["provider"]


@pytest.mark.parametrize("name", ["", "../up", ".hidden"])
def test_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a key"):
        create_keyring(tmp_path).add(name, key_from_words(WORDS["bob"]))


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="8 characters"):
        create_keyring(tmp_path, "short")


def test_an_item_of_another_passphrase_is_locked(tmp_path: Path) -> None:
    keyring = create_keyring(tmp_path)
    shutil.copy(RECORDED / "keyring-file" / "second.info", keyring.directory / "second.info")
    with pytest.raises(KeyLockedError, match=r"second\.info"):
        keyring.key("second")
