"""The outermost layer of an ONNX file: told apart from text and from a file cut short, before parsing."""

from __future__ import annotations

from appliance.errors import UnusableModel

__all__ = ["check_envelope"]

_VARINT, _BYTES = 0, 2
_FIELDS = {
    1: _VARINT, 2: _BYTES, 3: _BYTES, 4: _BYTES, 5: _VARINT, 6: _BYTES, 7: _BYTES, 8: _BYTES,
    14: _BYTES, 20: _BYTES, 25: _BYTES, 26: _BYTES,
}  # fmt: skip
"""Field number → wire type of `ModelProto`. Source: onnx/onnx.proto of ONNX 1.19 and later."""

_GRAPH = 7
_MAX_FIELDS = 100_000


def check_envelope(content: bytes) -> None:
    """Walk the outermost fields of an ONNX file without parsing what is inside them.

    Raises:
        UnusableModel: It is empty, no ONNX file, cut short, or has no graph.
    """
    if not content:
        raise UnusableModel("the file is empty")
    at, graphs = 0, 0
    for _ in range(_MAX_FIELDS):
        if at == len(content):
            break
        tag, at = _varint(content, at)
        field, kind = tag >> 3, tag & 7
        if _FIELDS.get(field) != kind:
            raise UnusableModel(_unlike(content))
        value, at = _varint(content, at)
        if kind == _BYTES:
            at += value
            graphs += field == _GRAPH
        if at > len(content):
            raise UnusableModel(
                f"the ONNX file is cut short: {at - len(content):,} bytes are missing; copy it again"
                if graphs
                else _unlike(content)
            )
    if graphs != 1 or at != len(content):
        raise UnusableModel(f"the file has {graphs} ONNX graphs, exactly one is expected")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at an offset, and the offset behind it.

    Source: https://protobuf.dev/programming-guides/encoding/#varints
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise UnusableModel("the ONNX file is cut short; copy it again")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise UnusableModel(_unlike(content))


def _unlike(content: bytes) -> str:
    """Say what a file that is not ONNX looks like."""
    if content[:4] == b"PK\x03\x04" or content[:2] == b"\x80\x02":
        return "the file is an archive or a PyTorch checkpoint, not ONNX; convert it to ONNX first"
    start = content[:4096].decode("utf-8", "ignore")
    if start and all(c.isprintable() or c.isspace() for c in start):
        return "the file is text, not an ONNX model"
    return "the file is not an ONNX model"
