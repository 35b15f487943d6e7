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
    "anisoalign",
    "procrustes",
    "random_target",
)

TRAINED_METHODS = ("anisoalign",)
"""Those that train a network: they take far longer than all others together, so they are compared where
they are named and not by default."""

DEFAULT_METHODS = tuple(name for name in BUILT_IN_METHODS if name not in TRAINED_METHODS)
