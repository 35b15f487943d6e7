"""Images and captions to embeddings with an open_clip model: what `realign encode` and its page run.

Importing this package imports neither torch nor open_clip nor Pillow.
"""

from realign_core.encode.captions import Captions, from_lines, read_captions
from realign_core.encode.choice import BUNDLED, ModelChoice, choose_model
from realign_core.encode.images import ImageLimits, ImageSet, find_images
from realign_core.encode.output import check_out, write_encoding
from realign_core.encode.plan import Plan, make_plan
from realign_core.encode.run import Encoding, encode_folder
from realign_core.encode.skipped import Skipped

__all__ = [
    "BUNDLED",
    "Captions",
    "Encoding",
    "ImageLimits",
    "ImageSet",
    "ModelChoice",
    "Plan",
    "Skipped",
    "check_out",
    "choose_model",
    "encode_folder",
    "find_images",
    "from_lines",
    "make_plan",
    "read_captions",
    "write_encoding",
]
