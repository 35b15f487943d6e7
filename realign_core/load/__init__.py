"""Reading and writing embeddings: files, folders and arrays as rows that are read on demand.

Importing this package imports neither torch nor pyarrow.
"""

from realign_core.load.batches import Batches, RowSource, iterate
from realign_core.load.opening import open_rows
from realign_core.load.pair import EmbeddingPair, load_pair
from realign_core.load.report import LoadReport

__all__ = [
    "Batches",
    "EmbeddingPair",
    "LoadReport",
    "RowSource",
    "iterate",
    "load_pair",
    "open_rows",
]
