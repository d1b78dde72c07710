"""Values sealed for the provider's age identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.runtime.sealing import Identities, SealingError, add_identity, new_identity, seal


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(tmp_path / "keyring" / "identity.age")


def test_rotated_identities_unseal_old_and_new_values(identities: Identities) -> None:
    first, second = new_identity(), new_identity()
    add_identity(identities.path, first[0])
    old = seal(b"word", first[1])
    assert identities.unseal(old) == b"word"
    add_identity(identities.path, second[0])
    assert [identities.unseal(each) for each in (old, seal(b"new", second[1]))] == [b"word", b"new"]
    assert identities.recipients() == (first[1], second[1])
    assert identities.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("sealed", ["word", "age1:", "age1:!", "age1:d29yZA==", "age1:" + "A" * 5_000_000])
def test_text_that_is_not_sealed_is_refused_without_quoting_it(identities: Identities, sealed: str) -> None:
    add_identity(identities.path, new_identity()[0])
    with pytest.raises(SealingError) as refused:
        identities.unseal(sealed)
    assert "d29yZA" not in str(refused.value)


def test_faults_of_the_identity_file(identities: Identities) -> None:
    assert "cannot be read: No such file" in identities.fault()
    identity, recipient = new_identity()
    add_identity(identities.path, identity)
    assert identities.fault() == ""
    with pytest.raises(SealingError, match="another identity"):
        identities.unseal(seal(b"word", new_identity()[1]))
    identities.path.chmod(0o640)
    identities.path.write_text(identity + "\n")
    assert "chmod 600" in identities.fault()
    identities.path.chmod(0o600)
    identities.path.write_text("AGE-SECRET-KEY-1\n")
    assert "holds no age identities" in identities.fault()
    assert identity not in identities.fault()
    with pytest.raises(SealingError, match="not an age recipient"):
        seal(b"word", recipient[:-1])
