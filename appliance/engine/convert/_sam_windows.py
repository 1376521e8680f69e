"""The blocks of MobileSAM's encoder, rearranged for runtimes: the same answers with less to move and multiply.

The original pads a picture's features to whole windows and projects the padding along. A padded place
has the norm's bias for its features; taken out of keys and values, padding is zeros, which need no
projection: what is added to all keys alike falls out of a softmax, and what is added to all values
alike passes it unchanged and joins the bias after it.
Source: TinyViT as ultralytics builds it. Imported where models are converted only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor, softmax, zeros_like
from torch.nn.functional import layer_norm, linear, pad

__all__ = ["merged_windows"]


@contextlib.contextmanager
def merged_windows(model: Any) -> Iterator[None]:
    """Let the windowed blocks of a model attend as `_attended` does."""
    from ultralytics.models.sam.modules.tiny_encoder import TinyViTBlock

    blocks = [one for one in model.modules() if isinstance(one, TinyViTBlock)]
    for one in blocks:
        one.forward = _forward.__get__(one)
    try:
        yield
    finally:
        for one in blocks:
            del one.forward


def _forward(self: Any, x: Tensor) -> Tensor:
    """Stand in for the block's own: ``[1, places, c]`` to the same."""
    height, width = self.input_resolution
    x = x + _attended(self.attn, x, height, width, self.window_size)
    x = self.local_conv(x.transpose(1, 2).reshape(1, -1, height, width)).flatten(2).transpose(1, 2)
    return x + self.mlp(x)


def _attended(attention: Any, x: Tensor, height: int, width: int, side: int) -> Tensor:
    """Let places attend to those in their window."""
    norm, heads = attention.norm, attention.num_heads
    rows, columns = -(-height // side), -(-width // side)
    seen = layer_norm(x, norm.normalized_shape, norm.weight, zeros_like(norm.bias), norm.eps)
    shape = (heads, 3, attention.key_dim)
    weights = attention.qkv.weight.reshape(*shape, -1).transpose(0, 1).flatten(1, 2)
    biases = attention.qkv.bias.reshape(shape).transpose(0, 1).flatten(1) + weights @ norm.bias

    def windows(found: Tensor) -> Tensor:
        whole = pad(found.reshape(height, width, -1), (0, 0, 0, columns * side - width, 0, rows * side - height))
        parts = whole.reshape(rows, side, columns, side, heads, -1).permute(0, 2, 4, 1, 3, 5)
        return parts.reshape(rows * columns, heads, side * side, -1)

    queries = windows(linear(seen, weights[0] * attention.scale, biases[0] * attention.scale))
    keys, values = (windows(linear(seen, weight)) for weight in weights[1:])
    told = softmax(queries @ keys.transpose(-2, -1) + attention.ab, -1) @ values
    whole = told.reshape(rows, columns, heads, side, side, -1).permute(0, 3, 1, 4, 2, 5)
    shown = whole.reshape(rows * side, columns * side, -1)[:height, :width]
    return linear(shown.reshape(1, height * width, -1), attention.proj.weight, attention.proj(biases[2]))
