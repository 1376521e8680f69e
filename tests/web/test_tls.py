"""Certificates: what the authority may sign for, what renews itself, the site's own, how to trust them."""

from __future__ import annotations

import datetime
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from appliance.errors import Unavailable
from appliance.web import addresses, server, tls
from tests._server import Serving, serving
from tests._site import picture
from tests._wait import until

LAN_NAME = "127.1"
NAMES = ["box.example", "192.168.7.7"]


def certificate_of(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def shown(port: int, *, trusting: Path | None = None, name: str = "127.0.0.1") -> x509.Certificate:
    """Return the certificate a connection gets; with `trusting` only one that this authority vouches for."""
    context = ssl.create_default_context(cafile=str(trusting) if trusting else None)
    if trusting is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw, server_hostname=name) as over:
        der = over.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)


def changed(port: int, authority: Path, first: x509.Certificate) -> bool:
    """Tell whether another certificate is shown; a connection in the moment of the change is cut."""
    try:
        return shown(port, trusting=authority) != first
    except (ssl.SSLEOFError, ConnectionError):
        return False


def local(running: Serving) -> str:
    return f"https://127.0.0.1:{running.server.port}"


def self_made(folder: Path, name: str, *, days: int = 30, host: str = "labels.example.org") -> tuple[Path, Path]:
    """Make a certificate as a site might have it; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=90))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(tls._pem(key))
    return certificate, private


def test_a_new_address_or_name_of_the_network_needs_no_new_trust(tmp_path: Path) -> None:
    certificate, _ = tls.prepare(tmp_path, NAMES, ["10.1.2.3"])
    first, authority = certificate.read_bytes(), (tmp_path / tls.AUTHORITY).read_bytes()
    tls.prepare(tmp_path, ["192.168.7.7"])
    assert certificate.read_bytes() == first, "it covers what it is asked for"
    tls.prepare(tmp_path, [*NAMES, "box2.local"], ["172.16.9.9", "fd00::9"])
    covered = certificate_of(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"172.16.9.9", "fd00::9"} <= {str(one) for one in covered.get_values_for_type(x509.IPAddress)}
    assert (tmp_path / tls.AUTHORITY).read_bytes() == authority, "who trusts the box goes on trusting it"


def test_the_authority_signs_for_its_own_names_and_private_addresses_only(tmp_path: Path) -> None:
    certificate, _ = tls.prepare(tmp_path, NAMES, ["8.8.8.8"])
    authority = certificate_of(tmp_path / tls.AUTHORITY)
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert {"local", "localhost", "box.example"} <= {
        one.value for one in limits.value.permitted_subtrees if isinstance(one, x509.DNSName)
    }
    tls.prepare(tmp_path, NAMES, ["9.9.9.9"])
    covered = certificate_of(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "9.9.9.9" not in {str(one) for one in covered.get_values_for_type(x509.IPAddress)}
    assert certificate_of(tmp_path / tls.AUTHORITY) == authority
    tls.prepare(tmp_path, ["other.example"])
    assert certificate_of(tmp_path / tls.AUTHORITY) != authority, "a name somebody chose makes a new authority"


def test_what_a_stolen_authority_signs_for_others_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data", host=LAN_NAME) as running:
        folder = tmp_path / "data" / "tls"
        authority = certificate_of(folder / tls.AUTHORITY)
        key = serialization.load_pem_private_key((folder / "authority.key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        shown(running.server.port, trusting=folder / tls.AUTHORITY)
    pair = tmp_path / "forged.pem", tmp_path / "forged.key"
    tls._issue(authority, key, ["bank.example"], *pair)
    refusal = pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree")
    with serving(tmp_path / "other", host=LAN_NAME, tls_cert=str(pair[0]), tls_key=str(pair[1])) as running, refusal:
        shown(running.server.port, trusting=folder / tls.AUTHORITY, name="bank.example")


def test_a_certificate_is_renewed_before_it_ends_and_when_its_key_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tls.prepare(tmp_path, NAMES)
    first, now = certificate.read_bytes(), tls._now()
    key.write_bytes(tls._pem(ec.generate_private_key(ec.SECP256R1())))  # as after a power cut between the two files
    tls.prepare(tmp_path, NAMES)
    second = certificate.read_bytes()
    assert second != first
    monkeypatch.setattr(tls, "_now", lambda: now + 300 * tls._DAY)
    tls.prepare(tmp_path, NAMES)
    assert certificate.read_bytes() != second


def test_the_machines_addresses_are_found() -> None:
    found = addresses.addresses_of_machine()
    assert "127.0.0.1" not in found
    assert not [one for one in found if one.startswith("fe80")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        assert probe.getsockname()[0] in found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a box look for another certificate all the time."""
    monkeypatch.setattr(server, "_LOOK_S", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_new_address_gets_a_certificate_while_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "addresses_of_machine", lambda: ["10.0.0.1"])
    with serving(tmp_path, host=LAN_NAME) as running:
        port, authority = running.server.port, tmp_path / "tls" / tls.AUTHORITY
        body = {"code": running.code, "email": "a@b.org", "name": "A", "password": "correct horse battery staple"}
        client = httpx.Client(base_url=local(running), headers={"Origin": local(running)}, verify=False, timeout=60)
        running.clients.append(client)
        client.post("/api/setup", json=body)
        project = client.post("/api/projects", json={"name": "P", "labels": []}).json()["id"]
        data, go, first = picture(64, 48), threading.Event(), shown(port, trusting=authority)

        def slowly() -> Iterator[bytes]:
            yield data[:100]
            assert go.wait(60)
            yield data[100:]

        cookie = client.cookies["__Host-pixelqueue_session"]
        headers = {"Cookie": f"__Host-pixelqueue_session={cookie}", "Origin": local(running)}
        answers: list[httpx.Response] = []
        upload = threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    f"{local(running)}/api/projects/{project}/images?name=a.png",
                    content=slowly(), headers={**headers, "Content-Length": str(len(data))}, verify=False, timeout=60,
                )
            )
        )  # fmt: skip
        context = ssl.create_default_context(cafile=str(authority))
        url = f"wss://127.0.0.1:{port}/api/events"
        with connect(url, additional_headers=headers, ssl=context) as watching:
            watching.recv(timeout=30)
            upload.start()
            monkeypatch.setattr(addresses, "addresses_of_machine", lambda: ["10.0.0.1", "10.9.9.9"])
            with pytest.raises(ConnectionClosed) as closed:
                watching.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012, "sockets are told to come again"
        until(lambda: changed(port, authority, first))
        covered = shown(port).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "10.9.9.9" in {str(one) for one in covered.get_values_for_type(x509.IPAddress)}
        with connect(url, additional_headers=headers, ssl=context) as watching:
            assert "hello" in str(watching.recv(timeout=30))
        assert client.get("/api/session").status_code == 200
        go.set()
        upload.join(60)
        assert answers[0].status_code == 201, "what was on its way arrived"


@pytest.mark.usefixtures("impatient")
def test_the_sites_own_certificate_is_shown_and_followed(tmp_path: Path) -> None:
    certificate, key = self_made(tmp_path, "site")
    options = {"host": LAN_NAME, "tls_cert": str(certificate), "tls_key": str(key)}
    with serving(tmp_path / "data", **options) as running:
        port = running.server.port
        assert shown(port) == certificate_of(certificate)
        assert not (tmp_path / "data" / "tls").exists()
        client = running.client()
        assert client.get(f"{local(running)}/api/trust").json()["source"] == "site"
        assert client.get(f"{local(running)}/api/certificate").status_code == 404
        before = certificate_of(certificate)
        other, other_key = self_made(tmp_path, "next")
        certificate.write_bytes(other.read_bytes())
        assert shown(port) == before, "half of a change shows nothing new"
        key.write_bytes(other_key.read_bytes())
        until(lambda: shown(port) == certificate_of(other))


def test_a_certificate_that_does_not_fit_is_told_by_file(tmp_path: Path) -> None:
    good, good_key = self_made(tmp_path, "good")
    _, other_key = self_made(tmp_path, "other")
    old, old_key = self_made(tmp_path, "old", days=-1)
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for certificate, key, words in (
        (good, other_key, "other.key is not the key of"),
        (old, old_key, "old.pem ended on"),
        (text, good_key, "text.pem is no certificate"),
        (good, text, "text.pem is no private key"),
        (tmp_path / "none.pem", good_key, "none.pem cannot be read"),
        (good, "", "belong together"),
    ):
        options = {"host": LAN_NAME, "tls_cert": str(certificate), "tls_key": str(key)}
        with pytest.raises(Unavailable, match=words), serving(tmp_path / "data", **options):
            pass


def test_how_to_trust_the_box_is_told_to_anybody(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, host=LAN_NAME, trust_port=port) as running:
        authority = tmp_path / "tls" / tls.AUTHORITY
        expected = certificate_of(authority).fingerprint(hashes.SHA256()).hex(":").upper()
        for base in (local(running), f"http://127.0.0.1:{port}"):
            with httpx.Client(base_url=base, verify=False) as anybody:
                told = anybody.get("/api/trust").json()
                assert (told["source"], told["fingerprint"]) == ("box", expected)
                answer = anybody.get("/api/certificate")
                assert answer.content == authority.read_bytes()
                assert 'filename="pixelqueue-authority.crt"' in answer.headers["Content-Disposition"]
                assert anybody.get("/trust").status_code == 200
        assert {stat.S_IMODE(p.stat().st_mode) for p in authority.parent.iterdir()} == {0o600}


def test_the_plain_port_shows_nothing_else(tmp_path: Path, port: int) -> None:
    plain = httpx.Client(base_url=f"http://127.0.0.1:{port}")
    with serving(tmp_path, host=LAN_NAME, trust_port=port) as running, plain as anybody:
        answer = anybody.get("/projects/7/images?text=secret")
        assert answer.status_code == 308
        assert answer.headers["Location"] == f"{local(running)}/projects/7/images"
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
        for path in ("/", "/api/session", "/api/health", "/api/users"):
            assert anybody.get(path).status_code == 308
            assert anybody.post(path).status_code == 308
        assert anybody.get("/trust", headers={"Host": "evil.example"}).status_code == 421
