"""ReAlign ([R, sec. 4] arXiv 2602.07026)."""

from __future__ import annotations

from realign_core.alignment.anchor_trace import AnchorTrace


class ReAlign(AnchorTrace):
    """`e' = normalize(mu_x + s (y - mu_y))`, then `normalize(e' - mu' + mu_x)`, mu' the mean of e'.

    The second pass over the source gives `centroid_` = mu'; without projection to a sphere mu' is mu_x
    already, and the method is `AnchorTrace`.
    """

    name = "realign"
    centroid_stage = True
