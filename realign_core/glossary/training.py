"""What is measured while a model trains; `GapTracker` computes it."""

# ruff: noqa: RUF001  (formulas and numbers are set with a true minus, multiplication sign and Greek)

from __future__ import annotations

from realign_core.glossary.term import PROJECT, R, Term

COSINE = "−1 to 1"

TRAINING: dict[str, Term] = {
    "training.steps": Term(
        "Snapshots",
        "Moments of the training at which the probe set was embedded.",
        "number of step_*.npz files",
        "1 or more",
        None,
        PROJECT,
    ),
    "training.probe": Term(
        "Probe pairs",
        "Held-out pairs that every snapshot embeds; they are never trained on.",
        "n",
        "2 or more",
        None,
        PROJECT,
    ),
    "training.loss": Term(
        "Loss",
        "The contrastive loss that the run noted with a snapshot; ln m is what guessing among m pairs gives.",
        "as the training loop wrote it",
        "0 or more, nats for InfoNCE",
        "down",
        "the run",
    ),
    "training.recall_at_1": Term(
        "Recall at 1",
        "Share of probe images whose own text is the nearest of all; chance is one in n.",
        "mean [argmaxⱼ xᵢ·yⱼ = i]",
        "0 to 1, chance 1/n",
        "up",
        "the run",
    ),
    "training.recall_at_1_reverse": Term(
        "Recall at 1, reverse",
        "Share of probe texts whose own image is the nearest of all; chance is one in n.",
        "mean [argmaxⱼ yᵢ·xⱼ = i]",
        "0 to 1, chance 1/n",
        "up",
        "the run",
    ),
    "training.reference_step": Term(
        "Reference step (t₀)",
        "Until here U and V follow the embeddings; from here on they are frozen, and rotation and drift are "
        "measured against them.",
        "first snapshot at or after t₀",
        "one of the snapshots; the paper took step 800",
        None,
        R,
    ),
    "training.leakage": Term(
        "Gradient leakage",
        "Share of the gradients' length that points out of the frozen U; squared, the share of their energy.",
        "√(mean ‖P_V g‖² / mean ‖g‖²)",
        "0 to 1; √((d − r)/d) without a direction",
        None,
        R,
    ),
    "training.sin_theta": Term(
        "Turning of U (sin θ)",
        "How far the leading subspace of this step has turned out of the frozen one, at its worst "
        "direction; near 1 where the spectrum is smooth at the cut.",
        "‖P_V U_t‖₂",
        "0 to 1",
        None,
        R,
    ),
    "training.coupling_norm": Term(
        "Coupling (‖L‖)",
        "How strongly the residual in V follows that in U.",
        "‖L‖₂, L the least-squares map from U to V",
        "0 or more",
        None,
        R,
    ),
    "training.leakage_bound": Term(
        "Bound of the leakage",
        "Theorem C.3. It holds by construction, since the remainder is measured on the same gradients; "
        "what is informative is how small the remainder is.",
        "sin θ + ‖L‖ + ρ",
        "0 or more",
        None,
        R,
    ),
    "training.cob_drift": Term(
        "COB drift",
        "How far the bias in V has moved since the reference step, in lengths that it had there.",
        "‖γ(t) − γ(t₀)‖ / ‖γ(t₀)‖",
        "0 or more",
        None,
        R,
    ),
    "training.cob_stability": Term(
        "COB stability",
        "Whether the bias in V keeps its direction from one snapshot to the next.",
        "cos(γ(t), γ(t−1))",
        COSINE,
        None,
        R,
    ),
    "training.isotropic": Term(
        "Isotropic reference",
        "What the effective condition number reads on isotropic Gaussian residuals of this n and dimension.",
        "median of seeded draws",
        "1 or more",
        None,
        PROJECT,
    ),
    "training.locking_eigenvalues": Term(
        "Locking of eigenvalues",
        "Correlation of two sorted lists, which is high for almost any two; read the diagonals instead.",
        "corr(eig S_U, eig G_U)",
        COSINE,
        None,
        R,
    ),
    "training.locking_diagonal": Term(
        "Locking of diagonals",
        "Whether residual and gradients are large in the same directions of U.",
        "corr(diag S_U, diag G_U) in the frame's basis",
        COSINE,
        None,
        R,
    ),
    "training.plane_variance": Term(
        "Variance in the plane",
        "Share of the probe set's variance, both modalities together, that the plane of the picture "
        "holds at a step.",
        "tr(A' S A) / tr S, S the pooled covariance",
        "0 to 1",
        None,
        PROJECT,
    ),
    "training.plane_gap": Term(
        "Gap in the plane",
        "Share of the squared distance of the means that the picture shows at a step.",
        "‖A' m‖² / ‖m‖²",
        "0 to 1",
        None,
        PROJECT,
    ),
}
