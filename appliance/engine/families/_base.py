"""What every family of models of several files is, to admission: how its files are known and tried.

A family of one file is known by its decoder. What a model of several files does with a click is
its segmenter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from appliance.engine.decoders._base import Graph
from appliance.records import ModelInfo
from appliance.registry import discover

__all__ = ["Family", "families"]


class Family(Protocol):
    """A model family. Each is the constant ``FAMILY`` of one module.

    Attributes:
        name: The family, as `ModelInfo.family` has it.
        roles: The files it consists of, such as ``("decoder", "encoder")``, sorted.
        expects: What its graphs look like, for the message that refuses files.
    """

    name: str
    roles: tuple[str, ...]
    expects: str

    def recognize(self, graphs: Mapping[str, Graph]) -> ModelInfo | str:
        """Return the model's facts (task ``prompt``), or what about the graphs is not of this family.

        Args:
            graphs: By role; the roles are this family's.

        Raises:
            UnusableModel: It is of this family, but cannot be used; the message says why.
        """
        ...

    def first_run(self, files: Mapping[str, Path], info: ModelInfo) -> None:
        """Run every graph once on a grey picture; called in a limited child.

        Raises:
            UnusableModel: A graph does not answer as the family's does.
        """
        ...


def families() -> dict[str, Family]:
    """Return all families of several files by name."""
    return discover("appliance.engine.families", "FAMILY")
