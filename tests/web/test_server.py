"""Starting, listening and stopping: loopback, TLS, busy ports, signals."""

from __future__ import annotations

import signal
import socket
import ssl
import stat
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from appliance.errors import StoreLocked, Unavailable
from appliance.web import tls
from appliance.web.borders import is_loopback
from tests._server import PASSWORD, Serving, serving, serving_process

# Resolves to 127.0.0.1 but is no loopback literal, as a LAN name that is mapped to this machine.
LAN_NAME = "127.1"


def test_a_lan_name_gets_tls_from_the_first_start(tmp_path: Path) -> None:
    with serving(tmp_path, host=LAN_NAME) as running:
        assert running.url.startswith("https://")
        folder = tmp_path / "tls"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
        trusting = ssl.create_default_context(cafile=str(folder / tls.AUTHORITY))
        local = f"https://127.0.0.1:{running.server.port}"
        with httpx.Client(verify=trusting, base_url=local, headers={"Origin": local}) as client:
            assert "max-age" in client.get("/api/health").headers["Strict-Transport-Security"]
            authority = client.get("/api/certificate")
            assert authority.content == (folder / tls.AUTHORITY).read_bytes()
            body = {"code": running.code, "email": "a@b.org", "name": "A", "password": PASSWORD}
            answer = client.post("/api/setup", json=body)
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-pixelqueue_session=")
            assert "secure" in cookie.lower()
            assert client.get("/api/session").status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{running.server.port}/api/health")


def test_tls_speaks_1_2_at_least(tmp_path: Path) -> None:
    with serving(tmp_path, host=LAN_NAME) as running:
        for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
            with socket.create_connection(("127.0.0.1", running.server.port)) as raw:
                if works:
                    with context.wrap_socket(raw) as wrapped:
                        assert wrapped.version() == "TLSv1.2"
                else:
                    with pytest.raises(ssl.SSLError):
                        context.wrap_socket(raw)


def test_plain_http_on_a_lan_name_is_an_explicit_choice(tmp_path: Path) -> None:
    with serving(tmp_path, host=LAN_NAME, plain_http=True) as running:
        answer = running.client().get("/api/health", headers={"Host": LAN_NAME})
        assert answer.status_code == 200
        assert "Strict-Transport-Security" not in answer.headers
        assert running.client().get("/api/certificate").status_code == 404


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.4", False), ("box.local", False), ("127.1", False)],
)  # fmt: skip
def test_loopback_is_told_apart(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_busy_port_is_a_clear_error(fresh: Serving, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="--port"), serving(tmp_path / "other", port=fresh.server.port):
        pass


def test_an_address_that_is_not_ours_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="--port"), serving(tmp_path, host="192.0.2.7", plain_http=True):
        pass


def test_a_second_process_is_kept_from_the_data(fresh: Serving) -> None:
    with pytest.raises(StoreLocked), serving(fresh.appliance.store.folder):
        pass


def test_sigterm_tells_the_sockets_and_ends_cleanly(tmp_path: Path) -> None:
    with serving_process(tmp_path) as child:
        body = {"code": child.code, "email": "a@b.org", "name": "A", "password": PASSWORD}
        session = httpx.post(f"{child.url}/api/setup", json=body).cookies["pixelqueue_session"]
        headers = {"Cookie": f"pixelqueue_session={session}", "Origin": child.url}
        with connect(child.url.replace("http", "ws") + "/api/events", additional_headers=headers) as watching:
            watching.recv(timeout=30)
            child.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                watching.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert child.process.wait(30) == 0


def test_what_was_answered_is_there_after_kill_9(tmp_path: Path) -> None:
    with serving_process(tmp_path) as child:
        body = {"code": child.code, "email": "a@b.org", "name": "A", "password": PASSWORD}
        session = httpx.post(f"{child.url}/api/setup", json=body).cookies["pixelqueue_session"]
        assert child.stop(signal.SIGKILL) == -signal.SIGKILL
    with serving(tmp_path) as running:
        assert running.code is None
        client = running.client(cookies={"pixelqueue_session": session})
        assert client.get("/api/session").json()["user"]["email"] == "a@b.org"
