"""Plain sentences that follow from the numbers: each is said only where it holds."""

from realign_core.comparison import Comparison
from realign_core.findings.contest import badges, best_method, may_win, unresolved_from
from realign_core.findings.finding import Finding
from realign_core.findings.geometry import diagnosis_findings, headline
from realign_core.findings.methods import method_findings, published_findings
from realign_core.findings.needs import need_findings
from realign_core.findings.training import training_findings
from realign_core.findings.two_sources import long_and_short, source_findings
from realign_core.findings.uses import cost_warning, largest_cost, use_findings


def findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Everything after the headline, in reading order."""
    return (
        *diagnosis_findings(comparison.diagnosis),
        *use_findings(comparison),
        *method_findings(comparison),
        *published_findings(comparison),
    )


__all__ = [
    "Finding",
    "badges",
    "best_method",
    "cost_warning",
    "diagnosis_findings",
    "findings",
    "headline",
    "largest_cost",
    "long_and_short",
    "may_win",
    "method_findings",
    "need_findings",
    "published_findings",
    "source_findings",
    "training_findings",
    "unresolved_from",
    "use_findings",
]
