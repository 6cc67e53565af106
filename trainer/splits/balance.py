"""Whole blocks put on sides so that sizes and styles come as near to the shares as blocks allow.

The distance is that of Pearson's chi-squared, the sum of (n - t)^2 / t over sides and styles, n groups of a style on a side where t were
wanted; the size of a side counts as much as all its styles. Greedy after Sechidis, Tsoumakas and Vlahavas, "On the Stratification of
Multi-Label Data", ECML 2011: each block, large ones first, goes where it lessens that distance most; afterwards single blocks are moved,
and pairs of blocks exchanged, as long as that lessens it.

A block goes only to a side that still lacks as much as the block is large, or else to the one that lacks most. Thereby no side can end
further from its share than the largest block is large: a side gets too much by less than one block, and if one lacked a whole block or
more, no other would have got too much, so that the lacks could not add up to zero. Only a side that would have too few blocks is filled up
beyond that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    import numpy.typing as npt

    from trainer.splits.blocks import GroupBlock

    Table = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

#: A side with fewer blocks holds the works of one artist alone, and no negative by another.
LEAST_BLOCKS = 2

#: Moves and exchanges at most: each lessens the distance, and the first few do most of it.
_STEPS = 200
#: Exchanges are looked for among so many blocks at most: it takes the square of their number.
_EXCHANGED = 600
_EPSILON = 1e-9


def balance(
    blocks: Sequence[GroupBlock], styles: Mapping[str, str], shares: Sequence[float], random: Random, *, least: int = LEAST_BLOCKS
) -> list[list[GroupBlock]]:
    """The blocks of each side, at least `least` a side; depends on nothing but blocks, styles, shares and `random`.

    Args:
        blocks: in any order.
        styles: the style of each group, "" if unknown.
        shares: of all groups, one a side; they sum to 1.
        random: decides which of many good divisions is taken.
        least: blocks that each side has to have.

    Raises:
        ValueError: there are fewer blocks than that.
    """
    if len(blocks) < least * len(shares):
        raise ValueError(f"{len(blocks)} blocks are too few for {len(shares)} sides of {least}")
    ordered = _large_first(blocks, random)
    division = _Division(_counts(ordered, styles), np.array(shares, dtype=np.float64))
    for block in range(len(ordered)):
        division.place(block)
    division.fill(least)
    division.improve(least)
    return [[ordered[block] for block in np.flatnonzero(division.sides == side)] for side in range(len(shares))]


def _large_first(blocks: Sequence[GroupBlock], random: Random) -> list[GroupBlock]:
    """By size, but loosely, so that another seed gives another division even where all sizes differ."""
    ordered = sorted(blocks, key=lambda block: block.groups)
    weights = [len(block) * random.uniform(0.5, 1.0) for block in ordered]
    return [ordered[place] for place in sorted(range(len(ordered)), key=lambda place: -weights[place])]


def _counts(blocks: Sequence[GroupBlock], styles: Mapping[str, str]) -> Table:
    """(blocks, styles + 1): groups of each style, and in the last column of all."""
    column = {style: number for number, style in enumerate(sorted({styles[group] for block in blocks for group in block.groups}))}
    counts = np.zeros((len(blocks), len(column) + 1))
    for row, block in enumerate(blocks):
        for group in block.groups:
            counts[row, column[styles[group]]] += 1
        counts[row, -1] = len(block)
    return counts


class _Division:
    """A division of blocks over sides, some of them not placed yet."""

    def __init__(self, counts: Table, shares: Table) -> None:
        self.sides: Numbers = np.full(len(counts), -1, dtype=np.int64)
        self._counts = counts
        self._wanted: Table = np.outer(shares, counts.sum(axis=0))
        self._held: Table = np.zeros_like(self._wanted)
        self._weights: Table = 1 / self._wanted
        self._weights[:, -1] *= counts.shape[1] - 1
        self._largest = counts[:, -1].max()

    def place(self, block: int) -> None:
        """Put a block where it lessens the distance most, among the sides that have room for it or lack most."""
        size, lacks = self._counts[block, -1], (self._wanted - self._held)[:, -1]
        allowed = (lacks >= size) | (lacks >= lacks.max() - _EPSILON)
        self._move(block, int(np.argmin(np.where(allowed, self._added(self._counts[block : block + 1])[0], np.inf))))

    def fill(self, least: int) -> None:
        """Give each side its least number of blocks, from sides that have more, by the moves that cost least."""
        while (short := np.flatnonzero(self._blocks() < least)).size:
            costs = self._moved()[:, short[0]]
            costs[self._blocks()[self.sides] <= least] = np.inf
            self._move(int(np.argmin(costs)), int(short[0]))

    def improve(self, least: int) -> None:
        """Move and exchange blocks while that lessens the distance and takes no side too far from its share."""
        for _ in range(_STEPS):
            moves = self._moved()
            bounded = self._bounded(moves, least)
            block, side = (int(place) for place in np.unravel_index(int(np.argmin(bounded)), bounded.shape))
            one, other, gain = self._best_exchange(moves)
            if min(bounded[block, side], gain) > -_EPSILON:
                return
            if bounded[block, side] <= gain:
                self._move(block, side)
            else:
                first, second = int(self.sides[one]), int(self.sides[other])
                self._move(one, second)
                self._move(other, first)

    def _move(self, block: int, side: int) -> None:
        if self.sides[block] >= 0:
            self._held[self.sides[block]] -= self._counts[block]
        self._held[side] += self._counts[block]
        self.sides[block] = side

    def _blocks(self) -> Numbers:
        return np.bincount(self.sides, minlength=len(self._held))

    def _added(self, counts: Table) -> Table:
        """(B, S) by how much the distance grows if a block comes to a side: (n + c - t)^2 - (n - t)^2 = 2 c (n - t) + c^2."""
        grown: Table = 2 * counts @ (self._weights * (self._held - self._wanted)).T + counts**2 @ self._weights.T
        return grown

    def _moved(self) -> Table:
        """(B, S) by how much the distance grows if a block goes from its side to another; infinite for its own."""
        added, rows = self._added(self._counts), np.arange(len(self.sides))
        squares = self._counts**2 @ self._weights.T
        # Taken away: c^2 - 2 c (n - t) = 2 c^2 - added.
        moved: Table = added + (2 * squares - added)[rows, self.sides][:, None]
        moved[rows, self.sides] = np.inf
        return moved

    def _bounded(self, moves: Table, least: int) -> Table:
        """The moves, infinite where one would leave a side with too few blocks or take one too far off."""
        over, sizes = (self._held - self._wanted)[:, -1], self._counts[:, -1]
        left, reached = np.abs(over[self.sides] - sizes), np.abs(over[None, :] + sizes[:, None])
        refused = (self._blocks()[self.sides] <= least) | (left > self._limit())
        bounded: Table = np.where(refused[:, None] | (reached > self._limit()), np.inf, moves)
        return bounded

    def _limit(self) -> float:
        """How far the size of a side may be from its share: less than the largest block, unless it is further off already."""
        return max(float(self._largest), float(np.abs(self._held - self._wanted)[:, -1].max())) - _EPSILON

    def _best_exchange(self, moves: Table) -> tuple[int, int, float]:
        """Two blocks of different sides, and by how much the distance grows if they change places; infinite if there are none."""
        best = (0, 0, np.inf)
        if len(self.sides) > _EXCHANGED:
            return best
        over, sizes = (self._held - self._wanted)[:, -1], self._counts[:, -1]
        for one in range(len(self._held)):
            for other in range(one):
                rows, columns = np.flatnonzero(self.sides == one), np.flatnonzero(self.sides == other)
                # Where one comes and another goes, (n + c - d - t)^2 has -2 c d beyond what either does alone.
                met = (self._counts[rows] * (self._weights[one] + self._weights[other])) @ self._counts[columns].T
                gains = moves[rows, other][:, None] + moves[columns, one][None, :] - 2 * met
                changed = sizes[rows][:, None] - sizes[columns][None, :]
                too_far = (np.abs(over[one] - changed) > self._limit()) | (np.abs(over[other] + changed) > self._limit())
                gains[too_far] = np.inf
                if gains.size and gains.min() < best[2]:
                    row, column = np.unravel_index(int(np.argmin(gains)), gains.shape)
                    best = (int(rows[row]), int(columns[column]), float(gains.min()))
        return best
