"""Reading an ONNX file that nobody vouches for: is it usable, and what is it?

Nothing of the graph runs here; `worker.handle` does that. Even so a hostile file can make the
parser take many times its own size, so files from outside are inspected in a limited child.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engine.decoders._base import Graph, Tensor, decoders
from appliance.engine.families._base import families
from appliance.engine.wire import check_envelope
from appliance.errors import UnusableModel
from appliance.records import ModelInfo

__all__ = ["MAX_MODEL_BYTES", "inspect", "inspect_files", "read_graph"]

MAX_MODEL_BYTES = 512 * 1024 * 1024
"""The largest YOLO export is 270 MB; protobuf itself ends at 2 GiB."""

MAX_NODES = 20_000
MAX_DEPTH = 4
MAX_CONSTANT_ELEMENTS = 1 << 28
_DOMAINS = frozenset({"", "ai.onnx"})
_UNBOUNDED = frozenset({"Loop", "Scan", "SequenceMap"})
"""Operators whose work is not bounded by the shapes; no detector export needs them."""


def inspect(path: Path, *, max_bytes: int = MAX_MODEL_BYTES) -> ModelInfo:
    """Check an ONNX file and return what it says of itself.

    Args:
        path: The file; messages carry only its name.
        max_bytes: The largest file that is read.

    Raises:
        UnusableModel: It is no ONNX file, is cut short, too big, invalid, beyond the limits on
            operators, or of no family that a decoder knows; the message says what to do.
    """
    try:
        return _recognize(read_graph(path, max_bytes=max_bytes))
    except UnusableModel as error:
        error.file = error.file or path.name
        raise


def inspect_files(files: Mapping[str, Path], *, max_bytes: int = MAX_MODEL_BYTES) -> ModelInfo:
    """Check the files of one model and return what they say of themselves.

    Args:
        files: By role; ``weights`` alone is asked of the decoders, several of the families.
        max_bytes: The largest file that is read.

    Raises:
        UnusableModel: As `inspect`, or no family consists of files of these roles.
    """
    if set(files) == {"weights"}:
        return inspect(files["weights"], max_bytes=max_bytes)
    fitting = [one for one in families().values() if set(one.roles) == set(files)]
    if not fitting:
        raise UnusableModel(f"no family consists of the files {', '.join(sorted(files))}")
    graphs = {}
    for role, path in files.items():
        try:
            graphs[role] = read_graph(path, max_bytes=max_bytes)
        except UnusableModel as error:
            error.file = error.file or path.name
            raise
    reasons = []
    for family in fitting:
        answer = family.recognize(graphs)
        if isinstance(answer, ModelInfo):
            return answer
        reasons.append(f"Expected {family.expects}; but {answer}.")
    raise UnusableModel(f"the model is of no family that is known here. {' '.join(reasons)}")


def read_graph(path: Path, *, max_bytes: int = MAX_MODEL_BYTES) -> Graph:
    """Parse and check a file, and return what decoders look at.

    Raises:
        UnusableModel: See `inspect`.
    """
    model = _parse(_read(path, max_bytes))
    _refuse_external_data(model)
    _check_operators(model)
    _check(model)
    given = {i.name for i in model.graph.initializer}
    return Graph(
        inputs=[_tensor(v) for v in model.graph.input if v.name not in given],
        outputs=[_tensor(v) for v in model.graph.output],
        metadata={p.key: p.value for p in model.metadata_props},
        facts=_facts(model),
    )


def _read(path: Path, max_bytes: int) -> bytes:
    size = path.stat().st_size
    if size > max_bytes:
        raise UnusableModel(f"the model has {size:,} bytes, at most {max_bytes:,} are taken; export a smaller one")
    content = path.read_bytes()
    check_envelope(content)
    return content


def _parse(content: bytes) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load_model_from_string(content)
    except DecodeError as error:
        raise UnusableModel("the file is not a valid ONNX model: its inside cannot be parsed") from error


def _check(model: Any) -> None:
    import onnx

    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:300]
        raise UnusableModel(f"the ONNX checker refuses the model: {reason}") from error


def _refuse_external_data(model: Any) -> None:
    """Refuse weights that lie in other files: a path from outside is never followed."""
    import onnx

    for graph, _ in _graphs(model):
        for tensor in _tensors(graph):
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise UnusableModel(
                    "the model keeps its weights in another file (external data), which is refused; "
                    "export it as one file"
                )


def _check_operators(model: Any) -> None:
    if model.functions:
        raise UnusableModel("the model brings functions of its own, which are refused; export it without them")
    if model.training_info:
        raise UnusableModel("the model brings a training graph, which is refused; export it for inference")
    nodes = 0
    for graph, depth in _graphs(model):
        nodes += len(graph.node)
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise UnusableModel(
                f"the graph has over {MAX_NODES} operators, or more than {MAX_DEPTH} levels of graphs"
            )
        for node in graph.node:
            _check_node(node)
        _check_constants(graph)


def _check_node(node: Any) -> None:
    if node.domain not in _DOMAINS:
        raise UnusableModel(f"the model needs the operator {node.domain}::{node.op_type}, which is not part of ONNX")
    if node.op_type in _UNBOUNDED:
        raise UnusableModel(f"the model uses the operator {node.op_type}, whose work has no bound, and is refused")


def _check_constants(graph: Any) -> None:
    """Refuse a constant of a size that no weights have, which the runtime would make at loading."""
    import onnx

    known = {t.name: t for t in graph.initializer}
    known |= {
        n.output[0]: a.t for n in graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"
    }
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input and node.input[0] in known:
            shape = onnx.numpy_helper.to_array(known[node.input[0]])
            if math.prod(max(int(v), 0) for v in shape.flat) > MAX_CONSTANT_ELEMENTS:
                raise UnusableModel(f"the model asks for a constant of {' × '.join(map(str, shape.flat))} values")


def _graphs(model: Any) -> Iterator[tuple[Any, int]]:
    """Yield the graph and all graphs inside its operators, each with its depth."""
    waiting = [(model.graph, 0)]
    while waiting:
        graph, depth = waiting.pop()
        yield graph, depth
        for node in graph.node:
            for attribute in node.attribute:
                inner = [attribute.g] if attribute.HasField("g") else []
                waiting.extend((g, depth + 1) for g in (*inner, *attribute.graphs))


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _tensor(value: Any) -> Tensor:
    """Return name, shape and element type of a graph's input or output."""
    import onnx

    described = value.type.tensor_type
    dims = (d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in described.shape.dim)
    try:
        kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(described.elem_type)).name
    except (KeyError, TypeError):
        kind = f"type {described.elem_type}"
    return Tensor(value.name, tuple(dims), kind)


def _facts(model: Any) -> dict[str, Any]:
    """Return provenance worth keeping beside the model."""
    said = {p.key: p.value for p in model.metadata_props}
    kept = {key: said[key][:300] for key in ("description", "version", "license", "date") if key in said}
    opset = max((o.version for o in model.opset_import if o.domain in _DOMAINS), default=0)
    return kept | {"opset": opset, "operators": len(model.graph.node)}


def _recognize(graph: Graph) -> ModelInfo:
    """Ask each family in turn.

    Raises:
        UnusableModel: None knows the graph.
    """
    reasons = []
    for decoder in decoders().values():
        answer = decoder.recognize(graph)
        if isinstance(answer, ModelInfo):
            return answer
        reasons.append(f"Expected {decoder.expects}; but {answer}.")
    seen = f"inputs {_listed(graph.inputs)}, outputs {_listed(graph.outputs)}"
    raise UnusableModel(f"the model is of no family that can be decoded here. {' '.join(reasons)} Seen: {seen}")


def _listed(tensors: list[Tensor]) -> str:
    shapes = (f"{t.name} {[a if a is not None else '?' for a in t.shape]} {t.kind}" for t in tensors[:8])
    return "; ".join(shapes)[:600] or "none"
