"""The box's own pages: what an administrator does there, and that nobody else gets there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests._server import PASSWORD
from tests._site import Site, picture
from tests.browser._console import Console

SYSTEM = {
    "Storage": "What can go",
    "Stored files": "Readings",
    "Users": None,
    "Audit log": None,
    "Health": "Runtimes",
}


def job_of(site: Site, kind: str) -> None:
    site.finished(site.people["admin"].post("/api/system/chores", json={"kind": kind}))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_administrator_walks_through_the_box(site: Site, console: Console, theme: str) -> None:
    site.image(site.project())
    job_of(site, "measure")
    job_of(site, "scrub")
    desk = console.open(site.box.url, site.people["admin"], color_scheme=theme)
    page = desk.go("/")
    page.get_by_role("navigation", name="Box").get_by_role("link", name="System").click()
    expect(page.get_by_text("onnxruntime")).to_be_visible()
    for link, region in SYSTEM.items():
        page.get_by_role("navigation", name="System").get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", name=link, level=1)).to_be_visible()
        if region is None:
            expect(page.locator("tbody tr").first).to_be_visible()
        else:
            expect(page.get_by_role("region", name=region)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("who", ["owner", "annotator", "operator"])
def test_nobody_else_finds_it(site: Site, console: Console, who: str) -> None:
    page = console.open(site.box.url, site.people[who]).go("/system/users")
    expect(page.get_by_role("heading", name="No such page")).to_be_visible()


def test_damage_shows_a_banner_that_goes_when_it_is_mended(site: Site, console: Console) -> None:
    project_id, content = site.project(), picture()
    image = site.image(project_id, "field.png", content)
    path: Path = site.box.appliance.store.blobs.folder / image["sha256"][:2] / image["sha256"]
    path.chmod(0o600)
    path.write_bytes(b"rot" + content[3:])
    page = console.open(site.box.url, site.people["admin"]).go("/system/files")
    page.get_by_role("button", name="Read all files now").click()
    expect(page.locator(".banner")).to_contain_text("1 stored file is damaged")
    expect(page.get_by_role("link", name="field.png")).to_be_visible()
    expect(page.get_by_text("damaged, put aside")).to_be_visible()
    other = console.open(site.box.url, site.people["owner"]).go("/")
    expect(other.get_by_role("heading", name="Projects")).to_be_visible()
    expect(other.locator(".banner")).to_have_count(0)
    url = f"/api/projects/{project_id}/images"
    site.ok(site.people["annotator"].post(url, params={"name": "field.png"}, content=content))
    page.get_by_role("button", name="Read all files now").click()
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.get_by_text("no fault")).to_be_visible()


def test_a_file_is_found_by_its_hash(site: Site, console: Console) -> None:
    image = site.image(site.project(), "looked up.png")
    page = console.open(site.box.url, site.people["admin"]).go("/system/files")
    hash_of = page.get_by_label("Hash, or its first digits")
    hash_of.fill("not a hash")
    expect(page.get_by_text("A hash has the digits")).to_be_visible()
    hash_of.fill(image["sha256"][:10].upper())
    expect(page.get_by_role("link", name="looked up.png")).to_be_visible()


def test_space_is_measured_and_the_cache_emptied(site: Site, console: Console) -> None:
    site.image(site.project())
    page = console.open(site.box.url, site.people["admin"]).go("/system/storage")
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_role("table", name="Space by kind")).to_contain_text("Pictures")
    page.get_by_role("button", name="By project").click()
    expect(page.get_by_role("table", name="Space by project")).to_contain_text("Parts")
    page.get_by_role("button", name="By age").click()
    expect(page.get_by_role("table", name="Space by age")).to_contain_text("Last 7 days")
    page.get_by_role("button", name="By kind").click()
    page.get_by_role("button", name="Empty the cache").click()
    expect(page.get_by_role("button", name="Measure now")).to_be_enabled()
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_role("button", name="Empty the cache")).to_be_disabled()


def test_a_person_is_added_disabled_and_enabled(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/system/users")
    page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Nora Field")
    dialog.get_by_label("Email").fill("nora@example.org")
    dialog.get_by_label("First password").fill("password1234")
    console.expects(r"422 .*/api/users")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_label("First password")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("First password").fill(PASSWORD)
    dialog.get_by_role("button", name="Add", exact=True).click()
    row = page.get_by_role("row", name="Nora Field")
    expect(row).to_be_visible()
    nora = site.box.signed_in("nora")
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled, cannot sign in")
    assert nora.get("/api/session").status_code == 401
    row.get_by_role("button", name="Enable").click()
    expect(row).to_contain_text("may sign in")
    row.get_by_label("Role of Nora Field").select_option("operator")
    expect(row.get_by_label("Role of Nora Field")).to_have_value("operator")
    assert site.audited("user.change")[0]["details"] == {"role": "operator"}


def test_the_audit_log_is_filtered_and_its_filter_is_in_the_address(site: Site, console: Console) -> None:
    project_id = site.project()
    site.image(project_id, "needle in the hay.png")
    page = console.open(site.box.url, site.people["admin"]).go("/system/audit")
    page.get_by_label("Action").select_option("image.add")
    page.get_by_label("Text").fill("needle")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{site.box.url}/system/audit?action=image.add&text=needle")
    page.locator("summary").click()
    expect(page.locator("details dl")).to_contain_text("needle in the hay.png")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert download.value.suggested_filename == "audit.csv"
    page.get_by_label("Text").fill("no such words")
    expect(page.get_by_text("No line of the log fits.")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator("tbody tr").nth(3)).to_be_visible()
    expect(page.get_by_label("Text")).to_have_value("")


def test_ones_own_account(site: Site, console: Console) -> None:
    site.box.person("petra")
    elsewhere = site.box.signed_in("petra")
    page = console.open(site.box.url, site.box.signed_in("petra")).go("/")
    page.get_by_role("button", name="petra").click()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Sign out elsewhere").click()
    expect(page.get_by_role("region", name="Signed in").get_by_role("row")).to_have_count(1)
    assert elsewhere.get("/api/session").status_code == 401
    _make_token(page)
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("another quiet horse 41")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Changed.")).to_be_visible()


def _make_token(page: Page) -> None:
    page.get_by_role("button", name="Make a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("nightly")
    expect(dialog.get_by_text("admin:")).to_have_count(0)
    dialog.get_by_role("button", name="Make token").click()
    expect(dialog.get_by_label("Token", exact=True)).to_have_value(re.compile(r"^pq_"))
    dialog.get_by_role("button", name="I have it").click()
    row = page.get_by_role("row", name="nightly")
    expect(row).to_contain_text("never used")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)


@pytest.mark.parametrize("who", ["owner", "annotator"])
def test_insights_show_everybody_to_admins_and_others_themselves(site: Site, console: Console, who: str) -> None:
    project_id = site.project()
    site.approved(project_id, site.labels(project_id)[0]["id"])
    page = console.open(site.box.url, site.people[who]).go(f"/projects/{project_id}/insights")
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.get_by_role("region", name="Work by day").first).to_contain_text("Submitted")
    expect(page.get_by_role("region", name="Labels")).to_contain_text("bolt")
    people = page.get_by_role("region", name="People").get_by_role("row").filter(has=page.get_by_role("cell"))
    seen = ["annotator", "reviewer"] if who == "owner" else ["annotator"]
    expect(people).to_have_count(len(seen))
    assert sorted(name for row in people.all() for name in seen if name in row.inner_text()) == seen
    page.get_by_label("Period").select_option("7")
    expect(page).to_have_url(f"{site.box.url}/projects/{project_id}/insights?days=7")
    expect(page.locator(".chart canvas")).to_be_visible()
