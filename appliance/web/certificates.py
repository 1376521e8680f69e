"""Which certificate the box shows: the site's, where the settings name one, else one of its own."""

from __future__ import annotations

import datetime
import logging
import ssl
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.web import addresses, tls

__all__ = ["Certificates", "Pair"]

_log = logging.getLogger(__name__)


class Pair(NamedTuple):
    """A certificate chain and its key, both PEM files."""

    certificate: Path
    key: Path


class Certificates:
    """Keep the certificate fit to be shown: for the present names, and not too old.

    Args:
        folder: ``DATA/tls``.
        settings: Name the site's own certificate and key, or leave it to the box.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._shown: tuple[bytes, bytes] | None = None

    def first(self) -> Pair:
        """Return what to show at the start; blocks.

        Raises:
            Unavailable: The site's certificate cannot be used; the message says which file and why.
        """
        pair = self._pair()
        self._shown = _contents(pair)
        return pair

    def renewed(self) -> Pair | None:
        """Return what to show from now on, or None while what is shown is fit; blocks.

        A certificate of the site that does not fit is logged, and the one before stays.
        """
        try:
            pair = self._pair()
            present = _contents(pair)
        except (Unavailable, OSError) as error:
            _log.warning("the certificate was not changed: %s", error)
            return None
        if present == self._shown:
            return None
        self._shown = present
        return pair

    def _pair(self) -> Pair:
        settings = self._settings
        if settings.tls_cert or settings.tls_key:
            return _of_site(settings.tls_cert, settings.tls_key)
        names = addresses.names_of_box(settings.host, settings.hosts)
        return Pair(*tls.prepare(self._folder, names, addresses.addresses_of_machine()))


def _contents(pair: Pair) -> tuple[bytes, bytes]:
    return pair.certificate.read_bytes(), pair.key.read_bytes()


def _of_site(certificate: str, key: str) -> Pair:
    """Look whether the files of the settings are a certificate that can be shown."""
    if not (certificate and key):
        raise Unavailable("tls_cert and tls_key belong together: set both, or neither for the box's own")
    shown = _certificate(Path(certificate))
    private = _key(Path(key))
    if shown.public_key() != private.public_key():  # type: ignore[attr-defined]
        raise Unavailable(f"{key} is not the key of {certificate}: give the key the certificate was made for")
    now = datetime.datetime.now(datetime.UTC)
    if shown.not_valid_after_utc <= now:
        raise Unavailable(f"{certificate} ended on {shown.not_valid_after_utc:%d %b %Y}: renew it")
    try:
        shown.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound as error:
        raise Unavailable(f"{certificate} names no host (subjectAltName): browsers refuse it") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"{certificate} and {key} cannot be used for TLS: {error}") from error
    return Pair(Path(certificate), Path(key))


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unavailable(f"{path} is no certificate in PEM form") from error


def _key(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error
    except (TypeError, ValueError) as error:
        raise Unavailable(f"{path} is no private key in PEM form without a passphrase") from error
