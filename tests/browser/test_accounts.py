"""Coming in: an invitation, a forgotten password, the door, and a device that learns to trust the box."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from playwright.sync_api import Page, expect

from tests._server import PASSWORD, serving
from tests._site import Site, picture
from tests.browser._console import LAN_NAME, Console

NEW = "an entirely different phrase"


def _once(page: Page, label: str) -> str:
    """Take what is shown once."""
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label(label, exact=True)
    expect(field).to_have_value(re.compile(r".{10,}"))
    secret = field.input_value()
    dialog.get_by_role("button", name="I have it").click()
    return secret


def test_an_invitation_leads_into_its_project(site: Site, console: Console) -> None:
    site.project()
    page = console.open(site.box.url, site.people["admin"]).go("/system/users")
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("For whom").fill("Nina Field")
    dialog.get_by_label("Project", exact=True).select_option(label="Parts")
    dialog.get_by_label("Role in the project").select_option("reviewer")
    dialog.get_by_role("button", name="Make link").click()
    link = _once(page, "Link")
    row = page.get_by_role("row", name="Nina Field")
    expect(row).to_contain_text("open, ends in 7 days")
    guest = console.open(site.box.url).page
    guest.goto(link)
    expect(guest.get_by_text("You will work in Parts as reviewer.")).to_be_visible()
    guest.get_by_label("Name").fill("Nina")
    guest.get_by_label("Email").fill("nina@example.org")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Register").click()
    guest.get_by_role("link", name="Parts").first.click()
    expect(guest.get_by_role("link", name="Review")).to_be_visible()
    assert "#" not in guest.url
    expect(row).to_contain_text("used by Nina")
    console.expects(r"403 .*/api/invitation$")
    late = console.open(site.box.url).page
    late.goto(link)
    expect(late.get_by_text("used, revoked or too old")).to_be_visible()
    expect(late.get_by_role("button", name="Register")).to_have_count(0)


def test_the_door_is_opened_and_closed(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/system/users")
    gate = console.open(site.box.url)
    for door, words in (
        ("closed", "This box makes no accounts by itself."),
        ("open", "12 characters at least"),
        ("invite", "This box makes accounts by invitation."),
    ):
        page.get_by_label("Who may register").select_option(door)
        expect(page.get_by_label("Who may register")).to_be_enabled()
        expect(gate.go("/register").get_by_text(words)).to_be_visible()
    assert site.audited("registration.change")[0]["details"] == {"registration": "invite"}


def test_a_forgotten_password_is_set_with_a_code(site: Site, console: Console) -> None:
    site.box.person("oscar")
    page = console.open(site.box.url, site.people["admin"]).go("/system/users")
    page.get_by_role("row", name="oscar").get_by_role("button", name="Reset password").click()
    page.get_by_role("button", name="Make a code").click()
    code = _once(page, "Code")
    gate = console.open(site.box.url).go("/")
    gate.get_by_role("link", name="I have a code").click()
    gate.get_by_label("Email").fill("oscar@example.org")
    gate.get_by_label("Code").fill("AAAA-AAAA-AAAA")
    gate.get_by_label("New password").fill(NEW)
    console.expects(r"403 .*/api/reset$")
    gate.get_by_role("button", name="Set password").click()
    expect(gate.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    gate.get_by_label("Code").fill(code.lower())
    gate.get_by_role("button", name="Set password").click()
    expect(gate.get_by_role("button", name="oscar")).to_be_visible()
    body = {"email": "oscar@example.org", "password": NEW}
    assert site.box.client().post("/api/session", json=body).status_code == 201


def test_a_visitor_is_refused_once_and_lands_where_they_wanted(site: Site, console: Console) -> None:
    """Someone whose session is over asks with a cookie, someone new without: one question each."""
    project_id = site.project()
    image = site.image(project_id, "a.png", picture(320, 240))
    ended = site.box.signed_in("owner")
    for client in (None, ended):
        desk = console.open(site.box.url, client)
        if client:
            console.expects(r"401 .*/api/session$")
            site.ok(client.delete("/api/session"), 204)
        refused: list[str] = []
        desk.page.on(
            "response", lambda answer, seen=refused: seen.append(answer.url) if answer.status >= 400 else None
        )
        page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert refused == [f"{site.box.url}/api/session"]
        page.get_by_label("Email").fill("owner@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        desk.objects(0)


def test_the_audit_log_says_that_its_chain_holds(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/system/audit")
    expect(page.get_by_text(re.compile(r"^The chain holds, \d+ lines\.$"))).to_be_visible()
    assert site.ok(site.people["admin"].get("/api/audit/chain"))["head"]["hash"] in page.content()


def test_a_device_learns_to_trust_the_box(tmp_path: Path, console: Console, port: int) -> None:
    with serving(tmp_path, host="127.1", hosts=[LAN_NAME], trust_port=port) as box:
        authority = tmp_path / "tls" / "authority.pem"
        kept = x509.load_pem_x509_certificate(authority.read_bytes())
        secure = f"https://{LAN_NAME}:{box.server.port}"
        console.expects("Cross-Origin-Opener-Policy header has been ignored")
        for url in (secure, f"http://{LAN_NAME}:{port}"):
            page = console.open(url).go("/trust")
            expect(page.get_by_text(kept.fingerprint(hashes.SHA256()).hex(":").upper())).to_be_visible()
            expect(page.get_by_text("chrome://certificate-manager")).to_be_visible()
            page.get_by_text("iPhone and iPad").click()
            expect(page.get_by_text("Certificate Trust Settings")).to_be_visible()
            with page.expect_download() as download:
                page.get_by_role("link", name="Download").click()
            assert Path(download.value.path()).read_bytes() == authority.read_bytes()
            assert download.value.suggested_filename == "pixelqueue-authority.crt"
        assert page.get_by_role("link", name="Open PixelQueue").get_attribute("href") == "/"
        page = console.open(secure).go("/trust")
        page.get_by_role("link", name="Open PixelQueue").click()
        expect(page.get_by_role("heading", name="Claim this box")).to_be_visible()
