"""An import goes on where it stopped, whichever batch was under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.errors import StoreError
from appliance.jobs.kinds import import_
from appliance.store import images, projects
from tests._pictures import encode
from tests.jobs._service import WAIT_S, serving


def drawn(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        pixels = np.full((8, 8, 3), number, np.uint8)
        (folder / f"{number:02d}.png").write_bytes(encode(pixels, "png"))
    return folder


@pytest.mark.parametrize("settles", [0, 1, 2])
def test_a_batch_that_fails_takes_neither_the_one_before_nor_leaves_the_one_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settles: int
) -> None:
    monkeypatch.setattr(import_, "_BATCH", 4)
    source = drawn(tmp_path / "source", 14)
    with serving(tmp_path / "box", image_children=2, free_floor_bytes=0) as service:
        store = service.store
        project_id = store.write(lambda tx: projects.create(tx, name="p", created_by=None)).id
        parameters = {"folder": str(source), "format": "pictures"}
        settle, done = store.blobs.settle, []

        def failing(staged: Any) -> None:
            if len(done) == settles:
                raise StoreError("the disk reports an error")
            done.append(len(staged))
            settle(staged)

        monkeypatch.setattr(store.blobs, "settle", failing)
        failed = service.wait(service.submit("import", parameters, project_id=project_id).id, WAIT_S)
        assert failed.state == "failed"
        assert len(store.read(lambda r: images.listed(r, project_id)).items) == 4 * settles
        assert list(store.temporary.iterdir()) == []
        monkeypatch.undo()
        again = service.wait(service.submit("import", parameters, project_id=project_id).id, WAIT_S)
        assert again.result is not None
        assert (again.result["images"], again.result["duplicates"]) == (14 - 4 * settles, 4 * settles)
        names = [image.name for image in store.read(lambda r: images.listed(r, project_id)).items]
        assert names == sorted(path.name for path in source.iterdir())
