"""numpy, imported by whoever first computes with it.

Records name the geometries, so every process imports this package: a start that does not wait
for numpy, and children that only look at picture headers without it, are a tenth of a second
and 20 MB better off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
else:

    class _Numpy:
        def __getattr__(self, name: str) -> Any:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    np = _Numpy()

__all__ = ["np"]
