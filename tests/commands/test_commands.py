"""The other commands, each in a process of its own as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import urllib.request
import zipfile
from pathlib import Path

import apsw
import httpx
import pytest

from appliance import errors
from appliance.__main__ import EXIT_CODES, exit_code
from appliance.registry import discover
from appliance.store import Store
from tests._server import serving, serving_process
from tests._shared import ROOT, shared
from tests.commands._folder import command, pictures, ran


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "box"


def lines(*arguments: str | Path) -> list[dict]:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_command_has_help_worth_reading():
    for name, found in discover("appliance.commands", "COMMAND").items():
        assert found.help
        done = subprocess.run(command(name, "--help"), capture_output=True, text=True, cwd=ROOT, check=True)
        assert "Usage: pixelqueue" in done.stdout
        if name not in ("child",):
            assert len(done.stdout.splitlines()) > 6


def test_every_error_has_an_exit_code():
    def tree(kind: type[errors.PixelQueueError]) -> list[type[errors.PixelQueueError]]:
        return [kind, *[sub for child in kind.__subclasses__() for sub in tree(child)]]

    for kind in tree(errors.PixelQueueError):
        made = kind("x", retry_after_s=1.0) if kind is errors.TooManyRequests else kind("x")
        assert exit_code(made) in EXIT_CODES.values()
    assert exit_code(errors.StoreLocked("x")) == 5
    assert exit_code(errors.UnusableModel("x")) == 2


def test_a_wrong_option_and_a_wrong_setting_end_with_2(data: Path):
    ran("serve", "--nonsense", code=2)
    settings = ROOT / "pyproject.toml"
    assert "there is no setting" in ran("serve", "--config", settings, "--data", data, code=2)["stderr"]


def test_import_and_export_a_dataset(data: Path, tmp_path: Path):
    bccd = shared("data/bccd")
    first = ran("import", bccd, "--project", "Blood", "--data", data, "--json")
    assert (first["images"], first["annotations"], first["format"]) == (159, 2082, "coco")
    again = ran("import", bccd, "--project", "Blood", "--data", data, "--json")
    assert (again["images"], again["duplicates"], again["annotations"]) == (0, 159, 0)
    out = tmp_path / "blood.zip"
    nothing = ran("export", "--project", "Blood", "--format", "coco", "--output", out, "--data", data, code=2)
    assert "no image of this project is approved" in nothing["stderr"]
    arguments = ["export", "--project", "Blood", "--format", "coco", "--everything", "--data", data, "--json"]
    made = ran(*arguments, "--output", out)
    assert (made["images"], made["annotations"]) == (159, 2082)
    with zipfile.ZipFile(out) as archive:
        assert len(json.loads(archive.read("annotations.json"))["annotations"]) == 2082
    before = out.read_bytes()
    assert ran(*arguments, "--output", out)["sha256"] == made["sha256"]
    assert out.read_bytes() == before


def test_export_into_a_folder(data: Path, tmp_path: Path):
    ran("import", pictures(tmp_path / "in", 4), "--project", "Four", "--data", data)
    arguments = ["export", "--project", "Four", "--everything", "--data", data, "--json"]
    made = ran(*arguments, "--format", "yolo", "--output", tmp_path / "out")
    assert (made["images"], made["sha256"]) == (4, None)
    assert len(list((tmp_path / "out" / "images").rglob("*.jpg"))) == 4


def test_import_an_archive(data: Path, tmp_path: Path):
    folder = pictures(tmp_path / "in", 5)
    archive = tmp_path / "five.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in folder.rglob("*.jpg"):
            made.write(path, path.relative_to(folder).as_posix())
    assert ran("import", archive, "--project", "Five", "--data", data, "--json")["images"] == 5
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../../evil.jpg", b"x")
    assert "points outside" in ran("import", archive, "--project", "Five", "--data", data, code=2)["stderr"]


def test_accounts_and_tokens(data: Path):
    add = ["user", "add", "ann@example.com", "--role", "admin", "--data", data, "--json", "--password"]
    assert "12" in ran(*add, "short", code=2)["stderr"]
    assert ran(*add, "a long enough secret 9")["role"] == "admin"
    ran(*add, "a long enough secret 9", code=4)
    assert [u["email"] for u in lines("user", "list", "--data", data, "--json")] == ["ann@example.com"]
    made = ran("token", "add", "ann@example.com", "--name", "ci", "--scope", "read", "--data", data, "--json")
    assert made["secret"].startswith("pq_")
    (listed,) = lines("token", "list", "ann@example.com", "--data", data, "--json")
    assert "secret" not in listed
    ran("token", "revoke", "ann@example.com", str(listed["id"]), "--data", data)
    assert lines("token", "list", "ann@example.com", "--data", data, "--json") == []
    ran("token", "list", "bob@example.com", "--data", data, code=3)


def test_a_code_from_the_console_opens_a_forgotten_account(data: Path):
    ran("user", "add", "ann@example.com", "--password", "a long enough secret 9", "--data", data)
    code = ran("user", "reset", "ann@example.com", "--data", data, "--json")["code"]
    ran("user", "reset", "bob@example.com", "--data", data, code=3)
    with serving(data) as running:
        body = {"email": "ann@example.com", "code": code, "password": "an entirely different phrase"}
        assert running.client().post("/api/reset", json=body).status_code == 201
        assert running.client().post("/api/reset", json=body).status_code == 403


def test_a_code_is_made_while_the_box_is_served(data: Path):
    ran("user", "add", "ann@example.com", "--password", "a long enough secret 9", "--data", data)
    with serving_process(data) as child:
        made = ran("user", "reset", "ann@example.com", "--data", data, "--json")
        assert (made["email"], made["valid_s"]) == ("ann@example.com", 3600)
        body = {"email": "ann@example.com", "code": made["code"], "password": "an entirely different phrase"}
        ran("user", "reset", "bob@example.com", "--data", data, code=3)
        assert httpx.post(f"{child.url}/api/reset", json=body, headers={"Origin": child.url}).status_code == 201
        child.stop(signal.SIGKILL)
    assert stat.S_ISSOCK((data / "console").stat().st_mode), "a kill leaves it behind"
    with serving_process(data) as child:
        assert stat.S_IMODE((data / "console").stat().st_mode) == 0o600
        assert ran("user", "reset", "ann@example.com", "--data", data, "--json")["code"] != made["code"]
        assert child.stop() == 0
    assert not (data / "console").exists()


def test_jobs_are_listed_and_steered(data: Path, tmp_path: Path):
    ran("import", pictures(tmp_path / "in", 3), "--project", "P", "--data", data)
    (job,) = lines("jobs", "list", "--data", data, "--json")
    assert (job["kind"], job["state"], job["progress"]) == ("import", "done", 3)
    assert ran("jobs", "show", str(job["id"]), "--data", data, "--json")["notes"] == []
    ran("jobs", "cancel", str(job["id"]), "--data", data, code=4)
    ran("jobs", "show", "99", "--data", data, code=3)


def test_a_locked_directory_is_said_to_be(data: Path):
    with Store(data):
        assert "in use by another PixelQueue" in ran("user", "list", "--data", data, code=5)["stderr"]
        assert "in use by another PixelQueue" in ran("doctor", "--data", data, code=5)["stderr"]


def test_a_mistyped_directory_is_not_made(tmp_path: Path):
    for arguments in (
        ["user", "list"],
        ["doctor"],
        ["jobs", "list"],
        ["export", "--project", "P", "--format", "coco"],
    ):
        more = ["--output", tmp_path / "x.zip"] if arguments[0] == "export" else []
        assert "no data directory" in ran(*arguments, *more, "--data", tmp_path / "typo", code=3)["stderr"]
    assert not (tmp_path / "typo").exists()


def test_doctor_finds_what_is_wrong(data: Path, tmp_path: Path):
    ran("import", pictures(tmp_path / "in", 3), "--project", "P", "--data", data)
    found = {line["what"]: line for line in lines("doctor", "--deep", "--data", data, "--json")}
    assert found["database"]["ok"]
    assert found["blobs"]["facts"] == "3 stored files, each read"
    assert found["audit log"]["facts"].startswith("1 line, head ")
    victim = next(p for p in (data / "blobs").rglob("*") if p.is_file())
    os.chmod(victim, 0o600)
    victim.write_bytes(b"rotten" + victim.read_bytes()[6:])
    assert "1 damaged (" in ran("doctor", "--deep", "--data", data, code=5)["words"]


def test_serve_says_where_it_is_and_ends_on_sigterm(data: Path):
    started = subprocess.Popen(
        command("serve", "--data", data, "--port", "0", "--json"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        said = json.loads(started.stdout.readline())
        assert said["claim_code"]
        with urllib.request.urlopen(f"{said['url']}/api/health") as answer:
            assert json.load(answer)["status"] == "ok"
        started.send_signal(signal.SIGTERM)
        assert started.wait(30) == 0
    finally:
        started.kill()
        started.stdout.close()


@pytest.mark.slow
def test_the_demo_does_the_main_job(data: Path):
    first = ran("demo", "--data", data, "--exit", "--json")
    assert first["images"] == 48
    assert first["approved"] + first["returned"] == 48
    assert first["map50"] >= 0.8
    assert first["exports"]["coco"]["images"] == first["approved"]
    assert ran("demo", "--data", data, "--exit", "--json")["seconds"] == first["seconds"]
    assert "127.0.0.1 only" in ran("serve", "--data", data, "--host", "0.0.0.0", code=6)["stderr"]


def test_doctor_names_the_line_of_the_audit_log_that_was_forged(data: Path):
    ran("user", "add", "ann@example.com", "--password", "a long enough secret 9", "--data", data)
    ran("user", "disable", "ann@example.com", "--data", data)
    by_hand = apsw.Connection(str(data / "pixelqueue.sqlite"))
    by_hand.execute("DROP TRIGGER audit_is_append_only_update")
    by_hand.execute("UPDATE audit SET subject = 'user 7' WHERE id = 2")
    by_hand.close()
    assert "line 2 is not as it was written" in ran("doctor", "--data", data, code=5)["words"]
