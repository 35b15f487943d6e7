"""Exact nearest neighbours by cosine, blocked, and what follows from them: retention, mixing, retrieval.

Products run in float32, where their rounding cannot change a result: a row whose neighbour set hangs on
less than `TIE` is settled again in float64, ties going to the lower index.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realign_core.checkpoint import checkpoint
from realign_core.linalg import row_products

TIE = 4e-6
"""Cosines closer than this may swap in float32.

Two products with one query were found to err apart by at most 1.6e-6, whether rows are Gaussian, all
positive, nearly constant or led by one coordinate, from d = 64 to 8192 (blocked sums keep it from growing).
"""

QUERY_BLOCK = 1024
KEY_BLOCK = 4096
SEARCH_BLOCK = 4096
SETTLE_BYTES = 64 * 2**20

Visit = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class Neighbours:
    """The k keys of largest cosine for each query, nearest first: `cosines` and `indices`, `(m, k)`."""

    cosines: Tensor
    indices: Tensor


class RowSet:
    """Unit or zero rows `(n, d)` in float64 with the float32 copy that products run on."""

    def __init__(self, rows: Tensor):
        self.exact = rows
        self.fast = rows.to(torch.float32)

    def __len__(self) -> int:
        return self.exact.shape[0]


def nearest(
    queries: RowSet,
    keys: RowSet,
    k: int,
    *,
    exclude_self: bool = False,
    exact_at: Sequence[int] = (),
    visit: Visit | None = None,
) -> Neighbours:
    """The `k` nearest keys of each query by cosine; `exclude_self` leaves out key i for query i.

    The first j columns are the j nearest for j = k and every smaller j in `exact_at`; between these
    borders float32 rounding may swap columns whose cosines differ by less than `TIE`.
    `visit(start, cosines)` is shown each `(block, n)` float32 block of cosines (self included), so that
    whoever needs the same product does not form it again. Needs `k <= n - exclude_self`.
    """
    wanted = min(k + 1, len(keys) - exclude_self)
    if visit is None and queries.fast.device.type == "cpu":
        values, indices = _searched(queries.fast, keys.fast, wanted, exclude_self)
    else:
        values, indices = _selected(queries.fast, keys.fast, wanted, exclude_self, visit)
    borders = sorted(j for j in {k, *exact_at} if 0 < j < wanted and j <= k)
    close = values[:, [j - 1 for j in borders]] - values[:, borders] < TIE
    doubtful = torch.nonzero(close.any(dim=1)).flatten()
    values, indices = values[:, :k].contiguous(), indices[:, :k].contiguous()
    _settle(queries, keys, doubtful, values, indices, exclude_self)
    return Neighbours(values, indices)


def _searched(queries: Tensor, keys: Tensor, k: int, exclude_self: bool) -> tuple[Tensor, Tensor]:
    """Top k of each query by FAISS, the fastest on the CPU where no one needs the products."""
    # Imported here: whoever only reads or maps rows need not wait for it.
    import faiss

    index = faiss.IndexFlatIP(keys.shape[1])
    index.add(keys.contiguous().numpy())
    values, indices = [], []
    for start in range(0, len(queries), SEARCH_BLOCK):
        checkpoint()
        block = queries[start : start + SEARCH_BLOCK].contiguous().numpy()
        cosines, found = map(torch.from_numpy, index.search(block, k + exclude_self))
        if exclude_self:
            own = found == torch.arange(start, start + len(found))[:, None]
            # Among many equal rows a query may miss itself; the last of them goes instead.
            own[:, -1] |= ~own.any(dim=1)
            cosines, found = (part[~own].view(len(found), k) for part in (cosines, found))
        values.append(cosines)
        indices.append(found)
    return torch.cat(values), torch.cat(indices)


def _selected(
    queries: Tensor, keys: Tensor, k: int, exclude_self: bool, visit: Visit | None
) -> tuple[Tensor, Tensor]:
    """The same from products that are formed here, block by block, on any device."""
    m, n = len(queries), len(keys)
    values = queries.new_empty((m, k))
    indices = torch.empty((m, k), dtype=torch.int64, device=queries.device)
    buffer = queries.new_empty((min(QUERY_BLOCK, m), n))
    for start in range(0, m, QUERY_BLOCK):
        checkpoint()
        block = queries[start : start + QUERY_BLOCK]
        stop = start + block.shape[0]
        tile = buffer[: block.shape[0]]
        for column in range(0, n, KEY_BLOCK):
            torch.mm(block, keys[column : column + KEY_BLOCK].mT, out=tile[:, column : column + KEY_BLOCK])
        if visit is not None:
            visit(start, tile)
        if exclude_self:
            tile.diagonal(offset=start).fill_(-torch.inf)
        values[start:stop], indices[start:stop] = _largest(tile, k)
    return values, indices


def _largest(tile: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Top k of each row `(m, n)`, largest first.

    The columns are dealt into n/16 hands of 16; the k largest lie in the k hands with the largest peaks,
    so one vectorised maximum replaces a selection over the whole row.
    """
    hand = 16
    m, n = tile.shape
    hands = n // hand
    if hands <= 2 * k:
        return tile.topk(k, dim=1)
    dealt = tile[:, : hands * hand].view(m, hand, hands) if n == hands * hand else None
    if dealt is None:
        dealt = tile.as_strided((m, hand, hands), (tile.stride(0), hands, 1))
    best = dealt.amax(dim=1).topk(k, dim=1, sorted=False).indices
    candidates = dealt.gather(2, best[:, None, :].expand(-1, hand, -1)).reshape(m, -1)
    candidates = torch.cat([candidates, tile[:, hands * hand :]], dim=1)
    values, place = candidates.topk(k, dim=1)
    dealt_index = (place // k) * hands + best.gather(1, place % k)
    return values, torch.where(place < k * hand, dealt_index, place - k * hand + hands * hand)


def _settle(
    queries: RowSet, keys: RowSet, doubtful: Tensor, values: Tensor, indices: Tensor, exclude_self: bool
) -> None:
    """Find the neighbours of the `doubtful` queries again in float64, in place."""
    k = values.shape[1]
    step = max(1, SETTLE_BYTES // (8 * len(keys)))
    for rows in doubtful.split(step):
        checkpoint()
        cosines = queries.exact[rows] @ keys.exact.mT
        if exclude_self:
            cosines[torch.arange(len(rows), device=rows.device), rows] = -torch.inf
        order = _first_largest(cosines, k)
        values[rows] = cosines.gather(1, order).to(values.dtype)
        indices[rows] = order


def _first_largest(cosines: Tensor, k: int) -> Tensor:
    """Indices of the top k of each row, ties going to the lower index, `(m, k)`."""
    # Equal rows may differ in the last bits of a product; rounding makes their tie visible.
    cosines = cosines.round(decimals=12)
    width = min(4 * k, cosines.shape[1])
    values, indices = cosines.topk(width, dim=1)
    if width < cosines.shape[1] and bool((values[:, k - 1] == values[:, -1]).any()):
        # The tie at the border reaches beyond what was selected.
        return torch.sort(cosines, dim=1, descending=True, stable=True).indices[:, :k]
    indices = indices.sort(dim=1).values
    order = torch.sort(cosines.gather(1, indices), dim=1, descending=True, stable=True).indices[:, :k]
    return indices.gather(1, order)


def kept_share(before: Neighbours, after: Neighbours, k: int) -> Tensor:
    """Neighbourhood retention of each row, `|N_k before & N_k after| / k`, `(n,)` float64."""
    shares = []
    for old, new in zip(before.indices[:, :k].split(8192), after.indices[:, :k].split(8192)):
        shares.append((old[:, :, None] == new[:, None, :]).sum(dim=(1, 2), dtype=torch.float64) / k)
    return torch.cat(shares)


def others_among_nearest(
    queries: RowSet, own: Neighbours, own_keys: RowSet, other: Neighbours, other_keys: RowSet, k: int
) -> Tensor:
    """How many of the k nearest rows of the pooled set are of the other modality, `(n,)` int64.

    `own` holds the nearest rows within the query's set (self left out), `other` those across; both with
    at least `min(k, their count)` columns. A tie at the border goes to the own modality.
    """
    width = own.indices.shape[1]
    pooled = torch.cat([own.cosines, other.cosines], dim=1)
    values, place = pooled.topk(min(k + 1, pooled.shape[1]), dim=1)
    counts = (place[:, :k] >= width).sum(dim=1)
    if values.shape[1] > k:
        for rows in torch.nonzero(values[:, k - 1] - values[:, k] < TIE).flatten().split(1024):
            exact = torch.cat(
                [
                    _exact_cosines(queries, own_keys, rows, own.indices[rows]),
                    _exact_cosines(queries, other_keys, rows, other.indices[rows]),
                ],
                dim=1,
            )
            order = torch.sort(exact.round(decimals=12), dim=1, descending=True, stable=True).indices
            counts[rows] = (order[:, :k] >= width).sum(dim=1)
    return counts


def _exact_cosines(queries: RowSet, keys: RowSet, rows: Tensor, indices: Tensor) -> Tensor:
    return torch.einsum("rd,rkd->rk", queries.exact[rows], keys.exact[indices])


def binary_entropy(share: Tensor | np.ndarray) -> Tensor:
    """`H2(p)` in bits, 0 at both ends."""
    share = torch.as_tensor(share, dtype=torch.float64)
    return (torch.special.entr(share) + torch.special.entr(1 - share)) / np.log(2)


def expected_entropy(n_target: int, n_source: int, k: int) -> float:
    """`E H2(K / k)` with `K ~ Hypergeometric(n_x + n_z, n_x, k)`: entropy mixing under random labels.

    Needs `k <= n_x + n_z`.
    """
    # In whole numbers: the probabilities of SciPy are off by 2e-10 among a million rows.
    ways = [math.comb(n_target, count) * math.comb(n_source, k - count) for count in range(k + 1)]
    whole = sum(ways)
    weights = torch.tensor([way / whole for way in ways], dtype=torch.float64)
    return float((weights * binary_entropy(np.arange(k + 1) / k)).sum())


def best_own_cosine(queries: RowSet, keys: RowSet, groups: Tensor) -> Tensor:
    """Largest cosine of each query with a key of its own group, `(n,)` float64; row i pairs with key i."""
    best = row_products(queries.exact, keys.exact)
    order = torch.argsort(groups, stable=True)
    _, sizes = torch.unique_consecutive(groups[order], return_counts=True)
    starts = torch.cumsum(sizes, 0) - sizes
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist()):
        members = order[start : start + size]
        best[members] = (queries.exact[members] @ keys.exact[members].mT).amax(dim=1)
    return best


def found_within(
    queries: RowSet, keys: RowSet, across: Neighbours, best_own: Tensor, groups: Tensor, k: int
) -> Tensor:
    """Whether each query finds its own group among its k best keys, `(n,)` float64 of 0 and 1.

    Found when fewer than k keys outside the group score strictly above the best of the group. A key above
    that best is outside the group by definition, so the nearest keys decide. All columns of `across`, at
    least `min(k, n)` of them, are looked at, since only their last border is exact.
    """
    cosines = across.cosines.to(torch.float64)
    margin = cosines - best_own[:, None]
    above = margin > TIE
    row, column = torch.nonzero((margin.abs() <= TIE), as_tuple=True)
    key = across.indices[row, column]
    foreign = groups[key] != groups[row]
    row, column, key = row[foreign], column[foreign], key[foreign]
    exact = torch.linalg.vecdot(queries.exact[row], keys.exact[key])
    above[row, column] = exact.round(decimals=12) > best_own[row].round(decimals=12)
    return (above.sum(dim=1) < k).to(torch.float64)
