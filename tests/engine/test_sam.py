"""SAM models of the real architecture against ultralytics' own predictors, prompt by prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.engine.convert._base import converters
from appliance.engine.segmenters._base import Embedding, Prompt, Session, Weights, segmenters
from appliance.engine.segmenters._sam import enlarged
from appliance.engine.worker import try_out
from appliance.errors import UnusableModel
from appliance.imaging.decode import decode_bgr
from tests._sam import BUILDERS, checkpoint
from tests._shared import shared

pytest.importorskip("ultralytics", reason="needs the train extra")
pytestmark = [pytest.mark.train, pytest.mark.slow]

PROMPTS = 200


def picture() -> np.ndarray:
    """Return a photograph: uint8 ``[height, width, 3]``, RGB."""
    path = sorted(shared("data/coco128/images").rglob("*.jpg"))[2]
    return np.ascontiguousarray(decode_bgr(path)[:, :, ::-1])


def prompts(width: int, height: int, count: int) -> list[Prompt]:
    """Return clicks, clicks of both signs, boxes, and boxes with a click."""
    made, draw = [], np.random.default_rng(11)
    for n in range(count):
        points = draw.random((1 + n % 3, 2)) * (width, height)
        signs = np.array([True, *(draw.random(n % 3) > 0.5)])
        x1, y1, x2, y2 = *draw.random(2) * 0.5, *(0.5 + draw.random(2) * 0.5)
        box = (x1 * width, y1 * height, x2 * width, y2 * height)
        if n % 4 == 0:
            points, signs = points[:0], signs[:0]
        made.append(Prompt(points, signs, box if n % 4 < 2 else None))
    return made


def theirs(name: str, model: Any, image: np.ndarray) -> Callable[[Prompt], np.ndarray]:
    """Return ultralytics' predictor with the image set, asked as our session decides."""
    from ultralytics.models.sam.predict import Predictor, SAM2Predictor

    kind = SAM2Predictor if BUILDERS[name][0] == "sam2" else Predictor
    source = kind(overrides={"imgsz": 1024, "save": False, "verbose": False, "device": "cpu"})
    source.setup_model(model, verbose=False)
    source.set_image(np.ascontiguousarray(image[:, :, ::-1]))

    def answer(asked: Prompt) -> np.ndarray:
        if asked.logits is not None:
            return gone_on(model, source.features, asked, image.shape[:2])
        given: dict[str, Any] = {}
        if len(asked.points):
            given |= {"points": [asked.points.tolist()], "labels": [asked.positive.astype(int).tolist()]}
        if asked.box is not None:
            given["bboxes"] = [list(asked.box)]
        multi = len(asked.points) == 1 and asked.box is None
        masks, facts = source.inference_features(
            source.features, image.shape[:2], (1024, 1024), **given, multimask_output=multi
        )
        return np.asarray(masks[int(facts[:, 4].argmax())].cpu().numpy())

    return answer


def gone_on(model: Any, features: Any, asked: Prompt, shape: tuple[int, int]) -> np.ndarray:
    """Return the model's mask for points and the logits before, which its predictor enlarges too far."""
    import torch

    second = hasattr(model, "sam_prompt_encoder")
    prompts = model.sam_prompt_encoder if second else model.prompt_encoder
    masks = model.sam_mask_decoder if second else model.mask_decoder
    points = torch.tensor(asked.points * 1024 / max(shape))[None].float(), torch.tensor(asked.positive)[None].int()
    with torch.no_grad():
        sparse, dense = prompts(points=points, boxes=None, masks=torch.from_numpy(asked.logits)[None, None])
        finer = {"repeat_image": False, "high_res_features": features["high_res_feats"]} if second else {}
        logits = masks(
            image_embeddings=features["image_embed"] if second else features,
            image_pe=prompts.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
            **finer,
        )[0]
    return enlarged(logits[0, 0].numpy(), shape[1], shape[0]) > 0


def in_chains(session: Session, seen: Embedding, asked: list[Prompt], size: tuple[int, int]) -> list[Prompt]:
    """Return the prompts of clicks alone as the next in a chain, which goes on from a box."""
    box = Prompt(np.empty((0, 2)), np.empty(0, bool), (size[0] * 0.2, size[1] * 0.2, size[0] * 0.7, size[1] * 0.7))
    before = session.decode(seen, box, *size).logits
    return [one._replace(logits=before) for one in asked if one.box is None]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["mobile_sam", "sam2.1_tiny"])
def test_masks_are_those_of_the_checkpoint(tmp_path: Path, name: str) -> None:
    from ultralytics.models.sam import build

    source = checkpoint(tmp_path, name)
    converter = converters()[BUILDERS[name][0]]
    assert [one.name for one in converters().values() if one.recognize(source) is None] == [converter.name]
    made = converter.convert(source, tmp_path, lambda _: None)
    assert made.parity is not None
    assert made.parity.ok
    info = try_out(made.files)
    session = segmenters()[info.family].open(Weights(made.files, info))
    image = picture()
    height, width = image.shape[:2]
    # As they are kept: with half the precision.
    seen = {key: array.astype(np.float16).astype(np.float32) for key, array in session.encode(image).items()}
    state = source.contents.get("model", source.contents)
    model = getattr(build, BUILDERS[name][1])()
    model.load_state_dict(state)
    answer = theirs(name, model, image)
    found = []
    asked_all = prompts(width, height, PROMPTS)
    for asked in [*asked_all, *in_chains(session, seen, asked_all[:20], (width, height))]:
        mine, other = session.decode(seen, asked, width, height).mask, answer(asked)
        union = (mine | other).sum()
        found.append(1.0 if union == 0 else (mine & other).sum() / union)
    assert min(found) >= 0.99, (min(found), np.sort(found)[:10])


@pytest.mark.parametrize(
    "size", [(640, 428), (810, 1080), (1280, 720), (500, 333), (37, 700), (1024, 1024), (90, 60)]
)
def test_logits_are_enlarged_as_theirs(size: tuple[int, int]) -> None:
    """To the edge of the picture, too, where what lies beside it has no say."""
    import torch
    from ultralytics.utils import ops

    width, height = size
    logits = np.random.default_rng(3).standard_normal((256, 256)).astype(np.float32)
    gains = [round(side * 1024 / max(size)) / 4 / side for side in (height, width)]
    wanted = ops.scale_masks(
        torch.from_numpy(logits)[None, None], (height, width), (gains, (0.0, 0.0)), padding=False
    )
    assert np.abs(enlarged(logits, width, height) - wanted[0, 0].numpy()).max() < 1e-3


@pytest.mark.parametrize("name", ["mobile_sam", "sam2.1_tiny"])
def test_a_checkpoint_that_lacks_tensors_is_refused(tmp_path: Path, name: str) -> None:
    source = checkpoint(tmp_path, name)
    state = source.contents.get("model", source.contents)
    part = "sam_mask_decoder" if "sam2" in name else "mask_decoder"
    del state[f"{part}.iou_prediction_head.layers.0.weight"]
    converter = converters()[BUILDERS[name][0]]
    with pytest.raises(UnusableModel, match=r"iou_prediction_head.layers\.0\.weight is missing"):
        converter.convert(source, tmp_path, lambda _: None)
