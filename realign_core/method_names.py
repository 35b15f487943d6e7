"""Names of the built-in methods, so that a wrong name is refused without importing torch."""

BUILT_IN_METHODS = (
    "identity",
    "mean_shift",
    "c3",
    "anchor_trace",
    "realign",
    "rotation",
    "blockwise",
    "gaussian_ot",
    "procrustes",
    "random_target",
)
