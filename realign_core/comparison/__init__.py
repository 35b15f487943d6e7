"""Methods side by side: scores in-sample and held-out, with intervals, references and floors."""

from realign_core.comparison.bench import Bench
from realign_core.comparison.result import Comparison, MethodResult
from realign_core.comparison.run import assemble, chosen_methods, compare
from realign_core.comparison.scoring import COLLAPSED_BELOW, SCORES
from realign_core.comparison.settings import Settings
from realign_core.comparison.tradeoff import TradeOffCurves, trade_off_curves
from realign_core.comparison.usefulness import Difference, differences

__all__ = [
    "COLLAPSED_BELOW",
    "SCORES",
    "Bench",
    "Comparison",
    "Difference",
    "MethodResult",
    "Settings",
    "TradeOffCurves",
    "assemble",
    "chosen_methods",
    "compare",
    "differences",
    "trade_off_curves",
]
