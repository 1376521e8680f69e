"""The one place that knows SQLite and the blobs on disk.

`Store` opens a data directory; one module per noun holds plain functions that take a
`Transaction` (to write) or a reading connection as their first argument.
"""

from appliance.store.store import Reading, Store
from appliance.store.writer import Transaction, actor

__all__ = ["Reading", "Store", "Transaction", "actor"]
