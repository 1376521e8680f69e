"""What every request passes and every answer carries."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import falcon.testing
import httpx
import pytest

from appliance.web.logs import one_line
from appliance.web.static import Static
from tests._server import PASSWORD, Serving, serving

SIGN_IN = {"email": "admin@example.org", "password": PASSWORD}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One claimed box for all tests here: none of them leaves a trace."""
    with serving(tmp_path_factory.mktemp("borders")) as running:
        running.claim()
        yield running


@pytest.fixture(scope="module")
def fresh(box: Serving) -> Serving:
    return box


@pytest.fixture(scope="module")
def admin(box: Serving) -> httpx.Client:
    return box.clients[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/api/health"), ("GET", "/api/nothing"), ("GET", "/missing.js"), ("POST", "/api/health"),
     ("GET", "/api/session"), ("POST", "/api/session"), ("GET", "/api/docs"), ("GET", "/api/docs.js"),
     ("GET", "/api/openapi.json"), ("DELETE", "/"), ("HEAD", "/api/health"), ("OPTIONS", "/api/session")],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(fresh: Serving, method: str, path: str) -> None:
    headers = fresh.client().request(method, path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert not any("http" in sources or "*" in sources for sources in policy.values())
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert len(headers["X-Request-Id"]) == 16


@pytest.mark.parametrize(("host", "trusted"), [("10.1.2.3:80", False), ("localhost:80", True), ("[::1]:80", True)])
def test_the_opener_policy_goes_where_browsers_heed_it(fresh: Serving, host: str, trusted: bool) -> None:
    headers = fresh.client().get("/", headers={"Host": host}).headers
    assert ("Cross-Origin-Opener-Policy" in headers) is trusted


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "", "[evil]:80"])
@pytest.mark.parametrize("path", ["/api/health", "/"])
def test_foreign_host_names_are_refused_on_loopback_too(fresh: Serving, host: str, path: str) -> None:
    answer = fresh.client().get(path, headers={"Host": host})
    # The HTTP parser itself refuses what is no host at all, before the application sees it.
    assert answer.status_code in (400, 421)
    if answer.status_code == 421:
        assert answer.json()["code"] == "misdirected-request"


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:80", "192.168.7.7:8000"])
def test_the_boxs_own_names_and_addresses_pass(fresh: Serving, host: str) -> None:
    assert fresh.client().get("/api/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://127.0.0.1"}, {}],
)  # fmt: skip
def test_changes_that_another_site_starts_are_refused(box: Serving, admin: httpx.Client, headers: dict) -> None:
    foreign = httpx.Client(base_url=box.url, cookies=dict(admin.cookies))
    box.clients.append(foreign)
    answer = foreign.post("/api/tokens", json={"name": "x", "scopes": ["read"]}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert admin.get("/api/tokens").json()["items"] == []


def test_changes_from_the_boxs_own_pages_and_programs_pass(box: Serving, admin: httpx.Client) -> None:
    plain = httpx.Client(base_url=box.url, cookies=dict(admin.cookies))
    box.clients.append(plain)
    body = {"name": "x", "scopes": ["read", "write"]}
    made = plain.post("/api/tokens", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    assert made.status_code == 201
    program = {"Authorization": f"Bearer {made.json()['secret']}", "Origin": "http://elsewhere.example"}
    answer = httpx.delete(f"{box.url}/api/tokens/{made.json()['id']}", headers=program)
    assert answer.status_code == 204
    assert httpx.post(f"{box.url}/api/session", json=SIGN_IN).status_code == 201, "a program signing in has no Origin"
    login = httpx.post(f"{box.url}/api/session", json=SIGN_IN, headers={"Origin": "http://evil.example"})
    assert login.status_code == 403, "nor does another site sign a browser in"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"{", 400, "malformed-request", None),
        (b"", 400, "malformed-request", None),
        (b"\xff\xfe", 400, "malformed-request", None),
        (b'{"email": "\xff"}', 400, "malformed-request", None),
        (b"[" * 100_000, 422, "invalid-input", None),
        (b'{"email": ' + b"[" * 100_000, 422, "invalid-input", "email"),
        (b'{"x":' * 50_000, 400, "malformed-request", "x"),
        (json.dumps(SIGN_IN | {"admin": True}).encode(), 400, "malformed-request", "admin"),
        (json.dumps(SIGN_IN | {"password": 7}).encode(), 422, "invalid-input", "password"),
        (b'{"email": "a@b"}', 422, "invalid-input", "password"),
        (json.dumps(SIGN_IN | {"password": "x" * 1025}).encode(), 422, "invalid-input", "password"),
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit_get_a_clear_answer(
    box: Serving, body: bytes, status: int, code: str, field: str | None
) -> None:
    answer = box.client().post("/api/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"], problem.get("field")) == (status, code, field), problem
    assert problem["type"] == f"/problems/{code}"


def test_deeply_nested_values_are_refused_where_anything_is_allowed(admin: httpx.Client) -> None:
    body = b'{"name": "x", "scopes": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    answer = admin.post("/api/tokens", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


def test_a_body_is_capped_with_and_without_an_announced_length(box: Serving) -> None:
    client = box.client()
    limit = box.appliance.settings.max_json_bytes
    headers = {"Content-Type": "application/json"}
    announced = client.post("/api/session", content=b" " * (limit + 1), headers=headers)
    assert (announced.status_code, announced.json()["code"]) == (413, "too-large")
    unannounced = client.post(
        "/api/session", content=(b" " * 65536 for _ in range(limit // 65536 + 1)), headers=headers
    )
    assert (unannounced.status_code, unannounced.json()["code"]) == (413, "too-large")


def test_a_body_must_call_itself_json(box: Serving) -> None:
    raw = json.dumps(SIGN_IN).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = box.client().post("/api/session", content=raw, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    with_charset = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert box.client().post("/api/session", content=raw, headers=with_charset).status_code == 201


@pytest.mark.parametrize("query", ["x=1", "limit=1&limit=2", "limit", "limit=%ff", "=", "&".join(["a=1"] * 60)])
def test_query_parameters_nobody_asked_for_are_refused(admin: httpx.Client, query: str) -> None:
    assert admin.get(f"/api/users?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "after=-1", "limit=", "after=9223372036854775808"]
)
def test_query_parameters_out_of_range_are_refused(admin: httpx.Client, query: str) -> None:
    answer = admin.get(f"/api/users?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, query.partition("=")[0])


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.0", "9223372036854775808", "1e3", "%20", "1/", "..%2f1"])
def test_paths_hold_positive_integers_only(admin: httpx.Client, number: str) -> None:
    answer = admin.patch(f"/api/users/{number}", json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_access_log_holds_no_secret_and_cannot_be_forged(
    admin: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        admin.get("/api/x%0Aforged line%0d?secret=hunter2")
        admin.post("/api/session", json=SIGN_IN)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("appliance")]
    assert any("/api/x\\nforged line\\r" in line for line in lines)
    for line in lines:
        assert "\n" not in line
        assert "hunter2" not in line
        assert PASSWORD not in line
        assert admin.cookies["pixelqueue_session"] not in line


def test_log_text_from_outside_becomes_one_short_line() -> None:
    assert one_line("a\nb\x1b[31m\u2028" + "x" * 999) == r"a\nb\x1b[31m\u2028" + "x" * 291


def test_without_a_built_interface_a_page_says_so(tmp_path: Path) -> None:
    app = falcon.asgi.App()
    app.add_sink(Static(tmp_path / "nothing"), prefix="/")
    answer = falcon.testing.TestClient(app).simulate_get("/projects")
    assert answer.status_code == 200
    assert "not built" in answer.text


def test_the_interfaces_files_are_served_compressed_and_cached(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>ui</title>")
    (tmp_path / "assets" / "main-abc.js").write_text("plain")
    (tmp_path / "assets" / "main-abc.js.br").write_bytes(b"br")
    (tmp_path / "assets" / "main-abc.js.gz").write_bytes(b"gz")
    (tmp_path.parent / "secret.txt").write_text("secret")
    app = falcon.asgi.App()
    app.add_sink(Static(tmp_path), prefix="/")
    client = falcon.testing.TestClient(app)
    for path in ("/", "/projects/7", "/index.html"):
        page = client.simulate_get(path)
        assert (page.text, page.headers["cache-control"]) == ("<title>ui</title>", "no-cache")
    for accepted, body in (("br, gzip", b"br"), ("gzip", b"gz"), ("identity", b"plain")):
        script = client.simulate_get("/assets/main-abc.js", headers={"Accept-Encoding": accepted})
        assert script.content == body
        assert script.headers["content-type"].startswith("text/javascript")
        assert "immutable" in script.headers["cache-control"]
    again = client.simulate_get("/index.html", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in ("/../secret.txt", "/assets/../../secret.txt", "/secret.txt", "//etc/passwd.txt", "/assets/x.js"):
        assert client.simulate_get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/projects/7/annotate", "", False),
        ("/projects/7/review", "", False),
        ("/projects/7/annotate", "image=9&state=open", True),
        ("/projects/7/images/9", "", True),
        ("/projects/7/annotate", "image=9%3E%3B%20rel%3Dx", False),
    ],
)
def test_a_page_of_the_workbench_names_what_it_will_need(tmp_path: Path, path: str, query: str, named: bool) -> None:
    (tmp_path / "index.html").write_text("other")
    (tmp_path / "workbench.html").write_text(
        '<script async type="module" crossorigin src="/assets/work-1.js"></script>'
        '<link rel="modulepreload" crossorigin href="/assets/more-1.js">'
    )
    app = falcon.asgi.App()
    app.add_sink(Static(tmp_path, signed_in=lambda request: request.get_header("Cookie") == "good"), prefix="/")
    visitor = falcon.testing.TestClient(app).simulate_get(path, query_string=query)
    assert (visitor.text, "link" in visitor.headers) == ("other", False)
    client = falcon.testing.TestClient(app, headers={"Cookie": "good"})
    page = client.simulate_get(path, query_string=query)
    assert "work-1" in page.text
    project, image = "/api/projects/7", "/api/projects/7/images/9"
    data = [f"{project}/labels"]
    if named:
        data = [f"{image}/view", f"{image}/annotations", *data, image]
    assert page.headers["link"].split(", ") == [
        "</assets/work-1.js>; rel=modulepreload; crossorigin",
        "</assets/more-1.js>; rel=modulepreload; crossorigin",
        *(f"<{address}>; rel=preload; as=fetch; crossorigin" for address in data),
    ]
    for other in ("/", "/projects/7/images", "/projects/7/settings", "/projects/x/annotate"):
        assert "link" not in client.simulate_get(other).headers
        assert client.simulate_get(other).text == "other"
