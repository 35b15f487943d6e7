"""Reading and writing embeddings: files, folders and arrays as rows that are read on demand.

Importing this package imports neither torch nor pyarrow.
"""

from realign_core.load.atomic import atomic_bytes, atomic_file, atomic_text
from realign_core.load.batches import Batches, RowSource, iterate
from realign_core.load.inspecting import Inspection, inspect_path
from realign_core.load.opening import open_rows
from realign_core.load.pair import EmbeddingPair, load_pair
from realign_core.load.report import LoadReport
from realign_core.load.single import EmbeddingSet, load_set, load_sets
from realign_core.load.writing import check_writable, write_rows

__all__ = [
    "Batches",
    "EmbeddingPair",
    "EmbeddingSet",
    "Inspection",
    "LoadReport",
    "RowSource",
    "atomic_bytes",
    "atomic_file",
    "atomic_text",
    "check_writable",
    "inspect_path",
    "iterate",
    "load_pair",
    "load_set",
    "load_sets",
    "open_rows",
    "write_rows",
]
