"""The prompt decoder of the SAM families, rearranged for runtimes: the same answers in less time.

A few tokens and 4,096 places of the picture attend to each other. Projections of the places are taken
over to the tokens' side, where they cost a tenth: ``q·(W x) = (Wᵀ q)·x``, and what is added to every
key alike falls out of a softmax. Features lie place by place, channels last, so that no large array is
turned around and a transposed convolution with stride 2 is a product of matrices. Only a mask that is
there is looked at.
Source: the architecture is that of https://github.com/facebookresearch/segment-anything and
https://github.com/facebookresearch/sam2 as ultralytics builds it. Imported where models are converted only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm

__all__ = ["Decoder", "by_place"]

_SIDE, _LOW_SIDE, _GRID = 1024, 256, 64
"""Of the picture, the masks and the features, in pixels and places."""

_PLACES = _GRID * _GRID


def by_place(features: Tensor, halvings: int) -> Tensor:
    """Return features ``[1, c, 64·2ᵏ, 64·2ᵏ]`` as ``[1, 4096·4ᵏ, c]``, the parts of a place in a row.

    Args:
        features: Rows and columns as the encoder has them.
        halvings: k.
    """
    side = [_GRID, *[2] * halvings]
    axes = [axis for level in range(1, halvings + 2) for axis in (level, level + len(side))]
    return features.reshape(-1, *side, *side).permute(*axes, 0).flatten(0, -2)[None]


class Decoder(torch.nn.Module):
    """From features, by place, and a prompt to the logits and the predicted IoU of all four masks.

    Args:
        prompts: The model's prompt encoder.
        masks: Its mask decoder.
        second: It is SAM 2: it also takes two finer feature maps.
    """

    def __init__(self, prompts: Any, masks: Any, *, second: bool) -> None:
        super().__init__()
        self.prompts, self.masks = prompts, masks
        own = [masks.obj_score_token.weight] if second else []  # SAM 2 asks first whether there is an object
        self.first = len(own)
        self.heads = torch.cat([*own, masks.iou_token.weight, masks.mask_tokens.weight])
        self.places = by_place(prompts.get_dense_pe(), 0)[0]
        order = torch.arange(_LOW_SIDE * _LOW_SIDE).reshape(1, 1, _LOW_SIDE, _LOW_SIDE)
        self.shown = torch.argsort(by_place(order, 2).flatten())

    def forward(self, *given: Tensor) -> tuple[Tensor, Tensor]:
        *features, coords, labels, mask, has_mask = given
        coarse, *finer = [one.reshape(-1, one.shape[-1]) for one in features]
        tokens = torch.cat([self.heads, self._sparse(coords[0], labels[0])])
        keys = coarse + torch.jit.script(_dense)(mask, has_mask, self._downscaling())
        answered, keys = self._transformed(tokens, keys)
        heads = answered[self.first + 1 :]
        weights = torch.cat([mlp(heads[n : n + 1]) for n, mlp in enumerate(self.masks.output_hypernetworks_mlps)])
        logits = (self._upscaled(keys, finer) @ weights.T)[self.shown].T.reshape(1, -1, _LOW_SIDE, _LOW_SIDE)
        return logits, self.masks.iou_prediction_head(answered[self.first : self.first + 1])

    def _sparse(self, coords: Tensor, labels: Tensor) -> Tensor:
        """Embed points; labels are 1 on and 0 beside the object, 2 and 3 corners of a box, -1 nothing."""
        labels = labels[:, None]
        found = self.prompts.pe_layer.forward_with_coords(coords[None] + 0.5, (_SIDE, _SIDE))[0] * (labels != -1)
        found = found + self.prompts.not_a_point_embed.weight * (labels == -1)
        for n, embedding in enumerate(self.prompts.point_embeddings):
            found = found + embedding.weight * (labels == n)
        return found

    def _downscaling(self) -> list[Tensor]:
        """Return what turns a mask into dense features, its convolutions as matrices, and the features of none."""
        first, norm, _, second, other, _, last = self.prompts.mask_downscaling
        layers = [
            [conv.weight.permute(2, 3, 1, 0).flatten(0, 2), conv.bias, norm.weight, norm.bias]
            for conv, norm in ((first, norm), (second, other))
        ]
        return [*layers[0], *layers[1], last.weight.flatten(1).T, last.bias, self.prompts.no_mask_embed.weight]

    def _transformed(self, tokens: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        queries, transformer = tokens, self.masks.transformer
        for layer in transformer.layers:
            if layer.skip_first_layer_pe:
                queries = layer.self_attn(queries[None], queries[None], queries[None])[0]
            else:
                asked = (queries + tokens)[None]
                queries = queries + layer.self_attn(asked, asked, queries[None])[0]
            queries = layer.norm1(queries)
            placed = keys + self.places
            looked = _tokens_to_places(layer.cross_attn_token_to_image, queries + tokens, placed, keys)
            queries = layer.norm2(queries + looked)
            queries = layer.norm3(queries + layer.mlp(queries))
            told = _places_to_tokens(layer.cross_attn_image_to_token, placed, queries + tokens, queries)
            keys = layer.norm4(keys + told)
        last = transformer.final_attn_token_to_image
        looked = _tokens_to_places(last, queries + tokens, keys + self.places, keys)
        return transformer.norm_final_attn(queries + looked), keys

    def _upscaled(self, keys: Tensor, finer: list[Tensor]) -> Tensor:
        """Return features ``[places·16, c]`` of the masks' pixels, by place."""
        first, norm, _, second, _ = self.masks.output_upscaling
        found = _spread(first, keys)
        if finer:
            found = found + finer[1]
        found = _spread(second, gelu(layer_norm(found, norm.weight.shape, norm.weight, norm.bias, norm.eps)))
        return gelu(found + finer[0] if finer else found)


def _tokens_to_places(attention: Any, queries: Tensor, placed: Tensor, keys: Tensor) -> Tensor:
    """Let tokens attend to places: ``[n, c]``."""
    asked = _headed(attention, attention.q_proj(queries)) * _gain(attention)
    asked = asked @ _parts(attention, attention.k_proj.weight)
    seen = torch.softmax(asked.flatten(0, 1) @ placed.T, -1) @ keys
    seen = seen.reshape(attention.num_heads, -1, seen.shape[-1])
    seen = seen @ _parts(attention, attention.v_proj.weight).transpose(1, 2)
    seen = seen.transpose(0, 1).reshape(-1, attention.internal_dim)
    return attention.out_proj(seen + attention.v_proj.bias)


def _places_to_tokens(attention: Any, placed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Let places attend to tokens: ``[places, c]``."""
    found = _headed(attention, attention.k_proj(keys)) * _gain(attention)
    asked = found @ _parts(attention, attention.q_proj.weight)
    bias = found @ attention.q_proj.bias.reshape(attention.num_heads, -1, 1)
    scores = torch.addmm(bias.flatten(), placed, asked.flatten(0, 1).T)
    shares = torch.softmax(scores.reshape(_PLACES, attention.num_heads, -1), -1)
    said = _headed(attention, attention.v_proj(values)) @ _parts(attention, attention.out_proj.weight.T)
    # The shares of each head add up to 1, so each head brings its part of the bias.
    said = said.flatten(0, 1) + attention.out_proj.bias / attention.num_heads
    return shares.reshape(_PLACES, -1) @ said


def _gain(attention: Any) -> float:
    return float(attention.internal_dim // attention.num_heads) ** -0.5


def _headed(attention: Any, found: Tensor) -> Tensor:
    """Return ``[n, heads·d]`` as ``[heads, n, d]``."""
    return found.reshape(-1, attention.num_heads, attention.internal_dim // attention.num_heads).transpose(0, 1)


def _parts(attention: Any, weight: Tensor) -> Tensor:
    """Return a projection ``[heads·d, c]`` by head: ``[heads, d, c]``."""
    return weight.reshape(attention.num_heads, -1, weight.shape[-1])


def _spread(layer: Any, found: Tensor) -> Tensor:
    """Double the sides, as the transposed convolution with stride 2 does: ``[n, c]`` to ``[4 n, c']``."""
    weight = layer.weight.permute(0, 2, 3, 1).flatten(1)
    return torch.addmm(layer.bias.repeat(4), found, weight).reshape(-1, layer.weight.shape[1])


def _dense(mask: Tensor, has_mask: Tensor, layers: list[Tensor]) -> Tensor:
    """Embed the mask before, where there is one. Scripted, so that the graph has both branches."""
    if bool(has_mask[0] > 0):
        found = mask.reshape(128, 2, 128, 2).permute(0, 2, 1, 3).reshape(-1, 4)
        found = torch.addmm(layers[1], found, layers[0])
        found = gelu(layer_norm(found, [4], layers[2], layers[3], 1e-6))
        found = found.reshape(64, 2, 64, 2, 4).permute(0, 2, 1, 3, 4).reshape(-1, 16)
        found = torch.addmm(layers[5], found, layers[4])
        found = gelu(layer_norm(found, [16], layers[6], layers[7], 1e-6))
        found = torch.addmm(layers[9], found, layers[8])
    else:
        found = layers[10]
    return found
