"""Results as plotly figures, a pure function each, on a light or (`dark=True`) a dark page."""

from realign_core.figures.bars import score_bars
from realign_core.figures.clouds import comparison
from realign_core.figures.drift import drift_parts, gap_by_stage
from realign_core.figures.energy import energy_split, residual_energy
from realign_core.figures.mapped import cosine_densities, mapped_spectra
from realign_core.figures.shape import bias_noise_angles, condition_numbers, subspace_overlap
from realign_core.figures.spectra import modality_spectra, residual_spectra
from realign_core.figures.sphere import drift_sphere
from realign_core.figures.table import comparison_table
from realign_core.figures.tradeoff import trade_off
from realign_core.figures.usefulness import use_differences

__all__ = [
    "bias_noise_angles",
    "comparison",
    "comparison_table",
    "condition_numbers",
    "cosine_densities",
    "drift_parts",
    "drift_sphere",
    "energy_split",
    "gap_by_stage",
    "mapped_spectra",
    "modality_spectra",
    "residual_energy",
    "residual_spectra",
    "score_bars",
    "subspace_overlap",
    "trade_off",
    "use_differences",
]
