"""The Models page: labels matched, a model used and taken back, converted, prepared; and what answers clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.jobs.weights import admit_model
from appliance.records import Model, Provenance
from tests._checkpoints import write_checkpoint
from tests._onnx import dense_head, write_model
from tests._sam import small_pair
from tests._site import Site, site_at
from tests.browser._console import Console, Desk
from tests.engine.tensorrt._made import interpreter

CONVERSION_MS = 240_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path / "data") as running:
        yield running


def detector(site: Site, folder: Path, name: str, labels: tuple[str, ...] = ("bolt", "washer")) -> Model:
    """Take in a detector as an upload is; each name has weights of its own."""
    head = dense_head([(32, 32, 10 + len(name), 10, 0.9, 0)], len(labels))
    said = {"names": repr(dict(enumerate(labels))), "task": "detect", "stride": "32", "imgsz": "[64, 64]"}
    path = write_model(folder / f"{name}.onnx", [head], metadata=said)
    return admitted(site, {"weights": path}, path.name)


def admitted(site: Site, files: dict[str, Path], name: str) -> Model:
    store = site.box.appliance.store
    staged = {role: store.blobs.stage([path.read_bytes()]) for role, path in files.items()}
    return admit_model(store, staged, name=name, provenance=Provenance(), created_by=None)


def models_page(site: Site, console: Console, who: str, project_id: int | None = None) -> Page:
    desk = console.open(site.box.url, site.people[who])
    return desk.go("/models" if project_id is None else f"/projects/{project_id}/models")


def active(site: Site, project_id: int) -> str | None:
    model: dict[str, Any] | None = site.ok(site.people["owner"].get(f"/api/projects/{project_id}"))["model"]
    return None if model is None else f"{model['name']}"


def test_labels_of_a_model_are_matched_as_suggested_and_by_hand(site: Site, console: Console, tmp_path: Path) -> None:
    project_id = site.project(labels=("bolt", "washer", "hexagon nut"))
    model = detector(site, tmp_path, "parts", ("Bolts", "wascher", "gizmo"))
    page = models_page(site, console, "owner", project_id)
    expect(page.get_by_text("1 of 3 labels used in this project")).to_be_visible()
    page.get_by_role("button", name="Accept 1 suggestion").click()
    expect(page.get_by_text("2 of 3 labels used in this project")).to_be_visible()
    page.get_by_label("Lowest confidence of Bolts").fill("0.6")
    expect(page.get_by_label("gizmo becomes")).to_contain_text("No label of this name: left out, with a note")
    page.get_by_label("gizmo becomes").select_option(label="Leave out, without a note")
    expect(page.get_by_label("Lowest confidence of gizmo")).to_be_disabled()
    page.get_by_role("button", name="Save 3 changes").click()
    expect(page.get_by_role("button", name="Saved")).to_be_disabled()
    page.reload()
    expect(page.get_by_label("Lowest confidence of Bolts")).to_have_value("0.6")
    expect(page.get_by_label("gizmo becomes")).to_have_value("ignore")
    kept = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/models/{model.id}/labels"))["labels"]
    names = {one["id"]: one["name"] for one in site.labels(project_id)}
    assert [(one["name"], names.get(one["label_id"]), one["how"]) for one in kept] == [
        ("Bolts", "bolt", "name"), ("wascher", "washer", "chosen"), ("gizmo", None, "ignored"),
    ]  # fmt: skip


def test_a_model_is_used_and_rolled_back_to_the_one_before(site: Site, console: Console, tmp_path: Path) -> None:
    project_id = site.project()
    for name in ("first", "second one"):
        detector(site, tmp_path, name)
    page = models_page(site, console, "owner", project_id)
    side = page.get_by_role("complementary", name="About the model")
    for name in ("first", "second one"):
        page.get_by_role("navigation", name="Models").get_by_role("button", name=re.compile(name)).click()
        page.get_by_role("button", name="Use in this project").click()
        expect(page.get_by_role("button", name="Stop using")).to_be_visible()
        assert active(site, project_id) == name
    side.get_by_role("button", name=re.compile("^Roll back to first")).click()
    expect(side.get_by_text("rolled back")).to_be_visible()
    assert active(site, project_id) == "first"
    watching = models_page(site, console, "annotator", project_id)
    expect(watching.get_by_text("In use here")).to_be_visible()
    expect(watching.get_by_role("button", name=re.compile("Roll back|Use in this project|Stop using"))).to_have_count(
        0
    )


def test_a_model_is_prepared_where_there_is_nothing_better(site: Site, console: Console, tmp_path: Path) -> None:
    detector(site, tmp_path, "parts")
    page = models_page(site, console, "operator")
    page.get_by_role("button", name="Prepare for this device").click()
    expect(page.get_by_text(re.compile(r"^Ready on onnxruntime, \S+, after [\d.]+ s"))).to_be_visible()
    expect(page.get_by_role("button", name="Prepare for this device")).to_be_enabled()


@pytest.fixture
def accelerated(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A box with a Python that has TensorRT and a GPU, both stand-ins."""
    python = interpreter(tmp_path / "python", **request.param)
    with site_at(tmp_path / "data", tensorrt_python=str(python)) as running:
        yield running


@pytest.mark.skipif(find_spec("tensorrt") is not None, reason="this Python has TensorRT itself")
@pytest.mark.parametrize(
    ("accelerated", "said"),
    [({}, "^Ready on tensorrt, cuda:0, after"), ({"STAND_IN_REFUSES": "1"}, "Not on a better one: .*TopK")],
    ids=["built", "refused"],
    indirect=["accelerated"],
)
def test_a_model_is_prepared_for_tensorrt_or_the_page_says_why_not(
    accelerated: Site, console: Console, tmp_path: Path, said: str
) -> None:
    detector(accelerated, tmp_path, "parts")
    page = models_page(accelerated, console, "operator")
    page.get_by_role("button", name="Prepare for this device").click()
    expect(page.get_by_text(re.compile(said))).to_be_visible(timeout=60_000)
    section = page.get_by_role("region", name="Runs on")
    best = section.get_by_text("the best that can run here")
    expect(best).to_have_count(1 if "tensorrt" in said else 0)
    assert section.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.train
@pytest.mark.timeout(600)
def test_a_checkpoint_is_converted_before_ones_eyes(site: Site, console: Console, tmp_path: Path) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    path = write_checkpoint(ultralytics, "yolov8n.yaml", tmp_path / "parts.pt")
    page = models_page(site, console, "operator")
    page.get_by_role("button", name="Add a model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model file").set_input_files(path)
    expect(dialog.get_by_text("converts it to ONNX without a network")).to_be_visible()
    dialog.get_by_role("button", name="Convert").click()
    expect(dialog.get_by_role("progressbar", name="Conversion")).to_be_visible()
    expect(dialog).to_have_count(0, timeout=CONVERSION_MS)
    expect(page.get_by_role("heading", name=re.compile("^parts"))).to_be_visible()
    expect(page.get_by_text("Same answers as the checkpoint")).to_be_visible()


def test_a_project_chooses_what_answers_its_clicks(site: Site, console: Console, tmp_path: Path) -> None:
    project_id = site.project()
    desk: Desk = console.open(site.box.url, site.people["owner"])
    page = desk.go(f"/projects/{project_id}/settings")
    clicks = page.get_by_label("Clicks are answered by")
    expect(page.get_by_text("A MobileSAM or SAM 2.1 model outlines objects better")).to_be_visible()
    expect(clicks).to_have_value("")
    model = admitted(site, small_pair(tmp_path / "pair"), "red.onnx")
    page.reload()
    expect(page.get_by_text("It is always there.")).to_be_visible()
    clicks.select_option(label="red, version 1")
    expect(page.get_by_text("Where it cannot run, the built-in one answers.")).to_be_visible()
    expect(clicks).to_have_value(str(model.id))
    chosen = f"/api/projects/{project_id}/segmenter"
    assert site.ok(site.people["annotator"].get(chosen))["model_id"] == model.id
    elsewhere = console.open(site.box.url, site.people["admin"]).go(f"/projects/{project_id}/settings")
    expect(elsewhere.get_by_label("Clicks are answered by")).to_have_value(str(model.id))
    clicks.select_option(label="Built-in, without weights")
    expect(elsewhere.get_by_label("Clicks are answered by")).to_have_value("")
    assert site.ok(site.people["annotator"].get(chosen))["model_id"] is None
