"""Methods that map source rows to where the target's rows lie; one file a method."""

from realign_core.alignment.anchor_trace import AnchorTrace
from realign_core.alignment.anisoalign import AnisoAlign
from realign_core.alignment.base import Aligner
from realign_core.alignment.blockwise import Blockwise
from realign_core.alignment.c3 import C3
from realign_core.alignment.gaussian_ot import GaussianOT
from realign_core.alignment.identity import Identity
from realign_core.alignment.mean_shift import MeanShift
from realign_core.alignment.procrustes import Procrustes
from realign_core.alignment.random_target import RandomTarget
from realign_core.alignment.realign import ReAlign
from realign_core.alignment.registry import (
    Traits,
    create,
    load_aligner,
    map_in_sample,
    method_names,
    register_method,
    save_aligner,
    traits,
)
from realign_core.alignment.rotation import Rotation
from realign_core.alignment.statistics import AlignmentWarning

__all__ = [
    "C3",
    "Aligner",
    "AlignmentWarning",
    "AnchorTrace",
    "AnisoAlign",
    "Blockwise",
    "GaussianOT",
    "Identity",
    "MeanShift",
    "Procrustes",
    "RandomTarget",
    "ReAlign",
    "Rotation",
    "Traits",
    "create",
    "load_aligner",
    "map_in_sample",
    "method_names",
    "register_method",
    "save_aligner",
    "traits",
]
