"""The fixtures shared with the UI: expectations worked out by hand, read here and by vitest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import InvalidGeometry
from appliance.geometry import GEOMETRIES, Geometry

FIXTURES = Path(__file__).parent.parent / "fixtures" / "geometry"


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(FIXTURES.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
    ]


def _with(key: str) -> list[Any]:
    return [param for param in _cases() if key in param.values[0]]


def _shape(value: dict[str, Any]) -> Any:
    return msgspec.convert(value, Geometry)


def _assert_same(shape: Any, expected: dict[str, Any] | None) -> None:
    if expected is None:
        assert shape is None
        return
    assert shape is not None
    actual = msgspec.to_builtins(shape)
    assert actual.keys() == expected.keys()
    for key, value in expected.items():
        assert _flat(actual[key]) == pytest.approx(_flat(value), abs=1e-9), key


def _flat(value: Any) -> Any:
    """Return a nested list as one level of (path, number) pairs, for `approx` does not nest."""
    if not isinstance(value, list):
        return value
    found: dict[str, Any] = {"length": len(value)}
    for index, item in enumerate(value):
        inner = _flat(item)
        found |= {f"{index}.{k}": v for k, v in inner.items()} if isinstance(inner, dict) else {f"{index}": inner}
    return found


def test_every_variant_has_fixtures() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(GEOMETRIES)


@pytest.mark.parametrize("case", _cases())
def test_check(case: dict[str, Any]) -> None:
    shape, image = _shape(case["geometry"]), case["image"]
    if case["valid"]:
        shape.check(image["width"], image["height"])
        return
    with pytest.raises(InvalidGeometry) as caught:
        shape.check(image["width"], image["height"])
    assert case["error"] in caught.value.message
    assert caught.value.field == "geometry"


@pytest.mark.parametrize("case", _with("bounds"))
def test_bounds(case: dict[str, Any]) -> None:
    assert list(_shape(case["geometry"]).bounds()) == pytest.approx(case["bounds"], abs=1e-9)


@pytest.mark.parametrize("case", _with("area"))
def test_area(case: dict[str, Any]) -> None:
    assert _shape(case["geometry"]).area() == pytest.approx(case["area"], abs=1e-9)


@pytest.mark.parametrize("case", _with("clipped"))
def test_clipped(case: dict[str, Any]) -> None:
    image = case["image"]
    _assert_same(_shape(case["geometry"]).clipped(image["width"], image["height"]), case["clipped"])


@pytest.mark.parametrize("case", _with("transformed"))
def test_transformed(case: dict[str, Any]) -> None:
    expected = case["transformed"]
    _assert_same(_shape(case["geometry"]).transformed(*expected["by"]), expected["to"])


@pytest.mark.parametrize("case", _with("simplified"))
def test_simplified(case: dict[str, Any]) -> None:
    expected = case["simplified"]
    _assert_same(_shape(case["geometry"]).simplified(expected["tolerance"]), expected["to"])


@pytest.mark.parametrize("case", [p for p in _with("contains") if p.values[0]["geometry"]["type"] == "polygon"])
def test_contains(case: dict[str, Any]) -> None:
    shape = _shape(case["geometry"])
    for x, y, inside in case["contains"]:
        assert shape.contains(x, y) is inside, (x, y)
