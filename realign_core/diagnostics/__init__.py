"""What the gap is made of: each figure of the methods page in one file."""

from realign_core.diagnostics.decomposition import Decomposition, Gap, decompose
from realign_core.diagnostics.diagnosis import Diagnosis, diagnose
from realign_core.diagnostics.statistics import PairStatistics

__all__ = ["Decomposition", "Diagnosis", "Gap", "PairStatistics", "decompose", "diagnose"]
