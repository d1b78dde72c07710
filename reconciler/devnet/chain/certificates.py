"""Certificates that accounts publish: messages and queries (tenant 2.2)."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import NameOID

from reconciler.chain.proto import cert_v1_pb2 as v1
from reconciler.devnet.chain import keys
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError, internal, invalid_argument, plain, sdk
from reconciler.devnet.chain.paging import PagedList, check_offset
from reconciler.devnet.chain.store import View
from reconciler.devnet.chain.tables import CERTIFICATES

CERTIFICATE, PUBLIC_KEY = "CERTIFICATE", "EC PUBLIC KEY"
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END ([A-Z0-9 ]+)-----\r?\n?")
_SERIAL = re.compile(r"[+-]?[0-9]+")
_STATES = (v1.valid, v1.revoked)


def check_create(msg: v1.MsgCreateCertificate) -> None:
    """Check a MsgCreateCertificate."""
    _check_owner(msg.owner)
    if not _PEM.fullmatch(msg.cert):
        raise TxRefusedError("cert", 6, "invalid certificate value")
    if not _PEM.fullmatch(msg.pubkey):
        raise TxRefusedError("cert", 7, "invalid pubkey value")
    certificate = _parsed(msg.cert)
    if not msg.pubkey.startswith(f"-----BEGIN {PUBLIC_KEY}-----".encode()):
        raise plain("invalid pubkey value: invalid pem block type")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [each.value for each in names] != [msg.owner]:
        raise plain("invalid certificate value: CommonName does not match owner")
    if not _is_signed(certificate, msg.pubkey):
        raise plain("invalid certificate value: invalid certificate signature")


def check_revoke(msg: v1.MsgRevokeCertificate) -> None:
    """Check a MsgRevokeCertificate."""
    _check_owner(msg.id.owner)
    if not msg.id.serial.isdigit():
        raise TxRefusedError("cert", 5, "invalid serial number")


def create(call: MessageCall, msg: v1.MsgCreateCertificate) -> v1.MsgCreateCertificateResponse:
    """Publish a certificate; its serial number can be used once."""
    serial = _parsed(msg.cert).serial_number
    if any(call.state.has(CERTIFICATES, _key(state, msg.owner, serial)) for state in _STATES):
        raise TxRefusedError("cert", 3, "certificate exists")
    made = v1.Certificate(state=v1.valid, cert=msg.cert, pubkey=msg.pubkey)
    call.state.put(CERTIFICATES, _key(v1.valid, msg.owner, serial), made)
    return v1.MsgCreateCertificateResponse()


def revoke(call: MessageCall, msg: v1.MsgRevokeCertificate) -> v1.MsgRevokeCertificateResponse:
    """Revoke a certificate for good."""
    serial = int(msg.id.serial)
    found = call.state.get(CERTIFICATES, _key(v1.valid, msg.id.owner, serial))
    if found is None:
        if call.state.get(CERTIFICATES, _key(v1.revoked, msg.id.owner, serial)):
            raise TxRefusedError("cert", 4, "certificate already revoked")
        raise TxRefusedError("cert", 1, "certificate not found")
    call.state.delete(CERTIFICATES, _key(v1.valid, msg.id.owner, serial))
    made = v1.Certificate(state=v1.revoked, cert=found.cert, pubkey=found.pubkey)
    call.state.put(CERTIFICATES, _key(v1.revoked, msg.id.owner, serial), made)
    return v1.MsgRevokeCertificateResponse()


def certificates(view: View, request: v1.QueryCertificatesRequest) -> v1.QueryCertificatesResponse:
    """Certificates by filter; a serial number without an owner is ignored."""
    filters = request.filter
    check_offset(request.pagination, filters.state)
    states: tuple[int, ...] = _STATES
    if filters.state:
        value = dict(v1.State.items()).get(filters.state, 0)
        if not value:
            raise invalid_argument("invalid state value")
        states = (value,)
    if filters.owner:
        try:
            raw(filters.owner)
        except AddressError as error:
            raise internal(str(error)) from error
    if filters.serial and not _SERIAL.fullmatch(filters.serial):
        raise internal("runtime error: invalid memory address or nil pointer dereference")

    def prefix(state: int) -> bytes:
        key = bytes([0x11, state])
        if not filters.owner:
            return key
        return key + keys.account(filters.owner) + (_serial(int(filters.serial)) if filters.serial else b"")

    rows, page = PagedList(CERTIFICATES, states, prefix, lambda _: True).page(view, request.pagination)
    found = [
        v1.CertificateResponse(certificate=row, serial=str(_parsed(row.cert).serial_number)) for row in rows
    ]
    return v1.QueryCertificatesResponse(certificates=found, pagination=page)


def _check_owner(address: str) -> None:
    try:
        raw(address)
    except AddressError as error:
        raise sdk(7, f"{error}: invalid address") from error


def _key(state: int, owner: str, serial: int) -> bytes:
    return bytes([0x11, state]) + keys.account(owner) + _serial(serial)


def _serial(number: int) -> bytes:
    data = max(number, 0).to_bytes(max((number.bit_length() + 7) // 8, 1), "big")
    return bytes([len(data)]) + data


def _parsed(pem: bytes) -> x509.Certificate:
    block = _PEM.fullmatch(pem)
    if block is None or block[1].decode() != CERTIFICATE:
        raise plain("invalid certificate value: invalid pem block type")
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise plain("x509: malformed certificate") from error


def _is_signed(certificate: x509.Certificate, pem: bytes) -> bool:
    """Whether a key of the EC PUBLIC KEY block signed the certificate with SHA-256."""
    standard = pem.replace(PUBLIC_KEY.encode(), b"PUBLIC KEY")
    try:
        key = load_pem_public_key(standard)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            certificate.signature_hash_algorithm, SHA256
        ):
            return False
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
