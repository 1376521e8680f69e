"""What every geometry owes to the rest, over the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import InvalidGeometry
from appliance.geometry import GEOMETRIES, Geometry
from appliance.geometry._base import Shape
from appliance.geometry.validity import fault_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "geometry"
VARIANTS = [pytest.param(name, id=name) for name in GEOMETRIES]


def _valid(name: str) -> list[dict[str, Any]]:
    cases = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return [case for case in cases if case["valid"]]


def _with_nan(value: Any, places: list[int]) -> Any:
    """Return a JSON value with its number at the place ``places[0]`` counts down to replaced by NaN."""
    if isinstance(value, dict):
        return {key: _with_nan(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_nan(item, places) for item in value]
    if isinstance(value, int | float):
        places[0] -= 1
        return float("nan") if places[0] == -1 else value
    return value


def _numbers(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_numbers(item) for item in value.values())
    return sum(map(_numbers, value)) if isinstance(value, list) else isinstance(value, int | float)


@pytest.mark.parametrize("name", VARIANTS)
def test_its_name_is_its_tag(name: str) -> None:
    variant = GEOMETRIES[name]
    config = variant.__struct_config__
    assert variant.name == name == config.tag
    assert config.tag_field == "type"
    assert config.frozen
    assert config.forbid_unknown_fields
    assert issubclass(variant, Shape)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_has_valid_and_json_safe_fixtures(name: str) -> None:
    cases = _valid(name)
    assert cases
    for case in cases:
        shape = msgspec.convert(case["geometry"], Geometry)
        assert type(shape) is GEOMETRIES[name]
        assert msgspec.json.decode(msgspec.json.encode(shape), type=Geometry) == shape


@pytest.mark.parametrize("name", VARIANTS)
def test_it_refuses_nan_in_every_field(name: str) -> None:
    for case in _valid(name):
        image = case["image"]
        for place in range(_numbers(case["geometry"])):
            broken = _with_nan(case["geometry"], [place])
            with pytest.raises((InvalidGeometry, msgspec.ValidationError)) as caught:
                msgspec.convert(broken, Geometry).check(image["width"], image["height"])
            if isinstance(caught.value, InvalidGeometry):
                assert caught.value.details["fault"] in ("not-finite", "malformed")


@pytest.mark.parametrize("name", VARIANTS)
def test_each_fixture_has_the_fault_it_names(name: str) -> None:
    for case in json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")):
        shape, image = msgspec.convert(case["geometry"], Geometry), case["image"]
        found = fault_of(shape, image["width"], image["height"])
        assert (found.code if found else None) == case.get("fault"), case["name"]


@pytest.mark.parametrize("name", VARIANTS)
def test_it_keeps_the_contract_on_its_fixtures(name: str) -> None:
    for case in _valid(name):
        shape, width, height = msgspec.convert(case["geometry"], Geometry), *case["image"].values()
        shape.check(width, height)
        x1, y1, x2, y2 = shape.bounds()
        assert x1 <= x2
        assert y1 <= y2
        assert shape.area() <= (x2 - x1) * (y2 - y1) + 1e-9
        clipped = shape.clipped(width, height)
        assert clipped is not None
        clipped.check(width, height)
        assert shape.transformed(1.0, 1.0, 0.0, 0.0).bounds() == pytest.approx(shape.bounds())
        assert shape.simplified(0.0) == shape
