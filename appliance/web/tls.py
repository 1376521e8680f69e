"""The box's own certificate authority and certificate, made at the first start on a LAN.

Browsers withhold secure cookies, crypto and storage from plain HTTP on a LAN name, so the box
speaks TLS from its first start. Its authority signs for this box's names and addresses only;
who installs ``/api/certificate`` once in a browser sees no warning again.
Source: RFC 5280; lifetimes after Apple's limits for certificates (398 days).
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["AUTHORITY", "names_of_box", "prepare"]

AUTHORITY = "authority.pem"
_CERTIFICATE, _KEY, _AUTHORITY_KEY = "certificate.pem", "key.pem", "authority.key.pem"
_AUTHORITY_DAYS, _DAYS, _RENEW_DAYS = 3650, 397, 120
_DAY = datetime.timedelta(days=1)


def prepare(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """Make or renew what is missing, too old or for other names.

    Args:
        folder: ``DATA/tls``; made with access for the owner only.
        names: DNS names and IP addresses the certificate is for.

    Returns:
        The certificate chain and its key, both PEM.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(folder, 0o700)
    authority, authority_key = _authority(folder)
    certificate, key = folder / _CERTIFICATE, folder / _KEY
    if not (key.exists() and _still_good(certificate, authority, names)):
        _issue(authority, authority_key, names, certificate, key)
    return certificate, key


def names_of_box(host: str, further: list[str]) -> list[str]:
    """Return the names and addresses browsers may use for this box, most specific first."""
    own = socket.gethostname()
    found = [host, *further, own, f"{own.partition('.')[0]}.local", "localhost", "127.0.0.1", "::1"]
    found += _addresses(own)
    usable = [name.strip().lower().strip("[]") for name in found if name.strip() not in ("", "0.0.0.0", "::")]
    return list(dict.fromkeys(usable))


def _addresses(own: str) -> list[str]:
    """Return this machine's addresses: those of its name, and the one it talks to others from."""
    found = []
    with contextlib.suppress(OSError):
        found += [str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(own, None)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # connecting a datagram socket sends nothing
            found.append(probe.getsockname()[0])
        except OSError:
            pass
    return found


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path, key_path = folder / AUTHORITY, folder / _AUTHORITY_KEY
    if path.exists() and key_path.exists():
        authority = x509.load_pem_x509_certificate(path.read_bytes())
        if authority.not_valid_after_utc - _now() > _RENEW_DAYS * _DAY:
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return authority, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"PixelQueue on {socket.gethostname()}"[:64])])
    builder = _builder(name, name, key.public_key(), _AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    authority = builder.sign(key, hashes.SHA256())
    _write(key_path, _pem(key))
    _write(path, authority.public_bytes(serialization.Encoding.PEM))
    return authority, key


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


def _still_good(path: Path, authority: x509.Certificate, names: list[str]) -> bool:
    if not path.exists():
        return False
    made = x509.load_pem_x509_certificate(path.read_bytes())
    covered = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lasting = made.not_valid_before_utc <= _now() and made.not_valid_after_utc - _now() > _RENEW_DAYS * _DAY
    return lasting and made.issuer == authority.subject and {_general(n) for n in names} <= set(covered)


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
