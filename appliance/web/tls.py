"""The box's own certificate authority and certificate, made at the first start on a LAN.

Browsers withhold secure cookies, crypto and storage from plain HTTP on a LAN name, so the box
speaks TLS from its first start; who lets a device trust ``/api/certificate`` once sees no warning
again. The authority is constrained: whoever steals its key can sign for private addresses, names
that end in ``.local``, and this box's own names, and for nothing else on the internet.
Source: RFC 5280 (4.2.1.10 on name constraints); lifetimes after Apple's limits for certificates
(398 days).
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["AUTHORITY", "facts", "prepare"]

AUTHORITY = "authority.pem"
_CERTIFICATE, _KEY, _AUTHORITY_KEY = "certificate.pem", "key.pem", "authority.key.pem"
_AUTHORITY_DAYS, _DAYS, _RENEW_DAYS = 3650, 397, 120
_DAY = datetime.timedelta(days=1)
# Private, link-local and loopback addresses, of both versions.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
            "fe80::/10", "::1/128")  # fmt: skip
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def prepare(folder: Path, names: list[str], addresses: Iterable[str] = ()) -> tuple[Path, Path]:
    """Make or renew what is missing, too old or for other names.

    A name outside what the authority may sign for makes a new authority, which every device has to
    trust anew; an address outside is left out of the certificate.

    Args:
        folder: ``DATA/tls``; made with access for the owner only.
        names: DNS names and IP addresses that somebody chose.
        addresses: IP addresses that the machine has at present.

    Returns:
        The certificate chain and its key, both PEM.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(folder, 0o700)
    authority, authority_key = _authority(folder, names, addresses)
    certificate, key = folder / _CERTIFICATE, folder / _KEY
    names = list(dict.fromkeys([*names, *(one for one in addresses if _may_sign(authority, [one]))]))
    if not _still_good(certificate, key, authority, names):
        _issue(authority, authority_key, names, certificate, key)
    return certificate, key


def facts(pem: bytes) -> tuple[str, int]:
    """Return a certificate's SHA-256 fingerprint, as systems show it, and its end in milliseconds since 1970."""
    found = x509.load_pem_x509_certificate(pem)
    return found.fingerprint(hashes.SHA256()).hex(":").upper(), int(found.not_valid_after_utc.timestamp() * 1000)


def _authority(
    folder: Path, names: list[str], addresses: Iterable[str]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path, key_path = folder / AUTHORITY, folder / _AUTHORITY_KEY
    if path.exists() and key_path.exists():
        authority = x509.load_pem_x509_certificate(path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        lasting = authority.not_valid_after_utc - _now() > _RENEW_DAYS * _DAY
        if lasting and authority.public_key() == key.public_key() and _may_sign(authority, names):
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return authority, key
    return _new_authority(path, key_path, [*names, *addresses])


def _new_authority(
    path: Path, key_path: Path, names: list[str]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"PixelQueue on {socket.gethostname()}"[:64])])
    builder = _builder(name, name, key.public_key(), _AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(_constraints(names), critical=True)
    authority = builder.sign(key, hashes.SHA256())
    _write(key_path, _pem(key))
    _write(path, authority.public_bytes(serialization.Encoding.PEM))
    return authority, key


def _constraints(names: list[str]) -> x509.NameConstraints:
    """Allow private addresses, names of the local network, and what the box is called now."""
    general = [_general(name) for name in names]
    own = [ipaddress.ip_network(one.value) for one in general if isinstance(one, x509.IPAddress)]
    private = [ipaddress.ip_network(one) for one in _PRIVATE]
    public = [one for one in own if not _inside(one, private)]
    named = ["local", "localhost", *(one.value for one in general if isinstance(one, x509.DNSName))]
    permitted = [*map(x509.DNSName, dict.fromkeys(named)), *map(x509.IPAddress, [*private, *public])]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _may_sign(authority: x509.Certificate, names: list[str]) -> bool:
    """Tell whether all these names lie within what the authority may sign for."""
    try:
        found = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return False
    networks = [one.value for one in found if isinstance(one, x509.IPAddress)]
    domains = [one.value for one in found if isinstance(one, x509.DNSName)]
    return all(_allowed(_general(name), networks, domains) for name in names)


def _allowed(name: x509.GeneralName, networks: list[Any], domains: list[str]) -> bool:
    if isinstance(name, x509.IPAddress):
        return _inside(ipaddress.ip_network(name.value), networks)
    return any(name.value == domain or name.value.endswith(f".{domain}") for domain in domains)


def _inside(one: _Network, networks: list[Any]) -> bool:
    return any(one.version == network.version and one.subnet_of(network) for network in networks)


def _issue(
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    names: list[str],
    certificate: Path,
    key_path: Path,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = _builder(subject, authority.subject, key.public_key(), _DAYS)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(issuer, critical=False)
    made = builder.sign(signer, hashes.SHA256())
    _write(key_path, _pem(key))
    pem = serialization.Encoding.PEM
    _write(certificate, made.public_bytes(pem) + authority.public_bytes(pem))


def _builder(subject: x509.Name, issuer: x509.Name, public: Any, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _DAY)
        .not_valid_after(_now() + (days - 1) * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _still_good(path: Path, key_path: Path, authority: x509.Certificate, names: list[str]) -> bool:
    if not (path.exists() and key_path.exists()):
        return False
    made = x509.load_pem_x509_certificate(path.read_bytes())
    key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    covered = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issuer = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    signer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    lasting = made.not_valid_before_utc <= _now() and made.not_valid_after_utc - _now() > _RENEW_DAYS * _DAY
    paired = made.public_key() == key.public_key() and issuer == signer
    return lasting and paired and {_general(n) for n in names} <= set(covered)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode("ascii"))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        os.fsync(fd)
    os.replace(partial, path)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
