"""One file = one variant: find the modules of a package that declare a constant."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

__all__ = ["discover"]


@cache
def discover(package: str, constant: str) -> dict[str, Any]:
    """Import every module directly inside `package` and collect what it calls `constant`.

    Modules whose name starts with an underscore, or that do not declare the constant, are
    helpers and are passed over. A module that fails to import fails the discovery: an
    `ImportError` is never swallowed, so variants import heavy libraries lazily.

    Args:
        package: Dotted name, such as ``appliance.formats``.
        constant: Name of the module attribute, such as ``FORMAT``. Its value has a `name`.

    Returns:
        The values by their `name`, sorted by it.

    Raises:
        ValueError: Two modules declare the same name.
    """
    found: dict[str, Any] = {}
    root = importlib.import_module(package)
    for info in pkgutil.iter_modules(root.__path__):
        if info.name.startswith("_"):
            continue
        value = getattr(importlib.import_module(f"{package}.{info.name}"), constant, None)
        if value is None:
            continue
        if value.name in found:
            raise ValueError(f"{package}: two variants are called {value.name!r}")
        found[value.name] = value
    return dict(sorted(found.items()))
