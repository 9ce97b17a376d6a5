"""The Merkle tree of RFC 6962, section 2.1, over leaf digests that are there already (rule 38).

A subtree is named by its tier and its index: in tier ``t`` it stands over ``256 ** t`` leaves,
tier 0 being the leaves themselves. Complete subtrees of tiers 1 and above never change, so whoever
keeps them adds to a tree of any size by reading at most 255 hashes a tier, and proves a leaf by
reading some hundreds. ``docs/decisions/0007-the-log.md`` says why this is not pymerkle's tree;
the tests prove it equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

WIDTH = 256
"""How many subtrees of one tier make one of the next."""
_BITS = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Hashes = Callable[[int, int, int], Sequence[bytes]]
"""(tier, first index, count) to the hashes of those subtrees, which are complete."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over the roots of perfect subtrees, the largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


class Frontier:
    """The roots of the perfect subtrees that cover some leaves, the largest first."""

    __slots__ = ("peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, digest: bytes) -> None:
        """Take one more leaf, or one more subtree of the same height as all before it."""
        count, peaks, sha256 = self.size, self.peaks, hashlib.sha256
        while count & 1:
            digest = sha256(b"\x01" + peaks.pop() + digest).digest()
            count >>= 1
        peaks.append(digest)
        self.size += 1


class LogTree:
    """A tree that grows, by tiers. ``completed`` collects (tier, index, root) of new subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.completed: list[tuple[int, int, bytes]] = []
        self._tiers: list[Frontier] = [Frontier()]

    def add(self, digest: bytes) -> None:
        """Append a leaf."""
        self.size += 1
        self._add(0, digest)

    def add_all(self, digests: Iterable[bytes]) -> None:
        """Append leaves, in order."""
        for one in digests:
            self.add(one)

    def add_subtree(self, tier: int, root: bytes) -> None:
        """Append a complete subtree of ``tier``; nothing smaller may be open."""
        if any(one.size for one in self._tiers[:tier]):
            raise ValueError("a subtree goes only where one of its height begins")
        self.size += WIDTH**tier
        self._add(tier, root)

    def _add(self, tier: int, digest: bytes) -> None:
        while len(self._tiers) <= tier:
            self._tiers.append(Frontier())
        here = self._tiers[tier]
        here.add(digest)
        if here.size == WIDTH:
            (root,) = here.peaks
            self._tiers[tier] = Frontier()
            above = tier + 1
            self.completed.append((above, self.size // WIDTH**above - 1, root))
            self._add(above, root)

    @property
    def peaks(self) -> list[bytes]:
        """The roots of the perfect subtrees, the largest first."""
        return [peak for one in reversed(self._tiers) for peak in one.peaks]

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        return fold(self.peaks)


def resume(size: int, hashes: Hashes) -> LogTree:
    """The tree of the first ``size`` leaves, from what is kept of it."""
    tree = LogTree()
    top = 0
    while size >= WIDTH ** (top + 1):
        top += 1
    for tier in range(top, -1, -1):
        whole = size // WIDTH**tier
        first = whole - whole % WIDTH if tier < top else 0
        for one in hashes(tier, first, whole - first) if whole > first else ():
            tree.add_subtree(tier, one)
    tree.completed.clear()
    return tree


def _perfect(level: int, index: int, hashes: Hashes) -> bytes:
    """The root of the perfect subtree of ``2 ** level`` leaves."""
    tier, rest = divmod(level, _BITS)
    found = list(hashes(tier, index << rest, 1 << rest))
    while len(found) > 1:
        found = [node_hash(*pair) for pair in zip(found[::2], found[1::2], strict=True)]
    return found[0]


def range_root(start: int, end: int, hashes: Hashes) -> bytes:
    """MTH(D[start:end]), where ``start`` is a multiple of the power of two that holds the range."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(_perfect(level, start >> level, hashes))
        start += 1 << level
    return fold(peaks)


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """PATH(index, D[size]): the hashes that lead from a leaf to the root, the lowest first.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end = 0, size
    path = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end, hashes))
            end = middle
        else:
            path.append(range_root(start, middle, hashes))
            start = middle
    return path[::-1]


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a path leads from a leaf.

    Raises:
        ValueError: the path has not the length that a tree of this size asks for.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    node, last, digest, given = index, size - 1, leaf, iter(path)
    while last:
        if node & 1:
            digest = node_hash(_next(given), digest)
        elif node < last:
            digest = node_hash(digest, _next(given))
        node, last = node >> 1, last >> 1
    if next(given, None) is not None:
        raise ValueError("the path is too long")
    return digest


def _next(given: Iterable[bytes]) -> bytes:
    found = next(iter(given), None)
    if found is None:
        raise ValueError("the path is too short")
    return found


def consistency_path(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """PROOF(old, D[new]): that the first ``old`` of ``new`` leaves are those of before.

    Raises:
        ValueError: ``old`` is not within 1 and ``new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {old} within one of {new}")
    start, end, whole = 0, new, True
    path = []
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end, hashes))
            end = middle
        else:
            path.append(range_root(start, middle, hashes))
            start, whole = middle, False
    return [*([] if whole else [range_root(start, old, hashes)]), *path[::-1]]


def roots_by_consistency(
    old: int, new: int, old_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The two roots to which a consistency path leads, as RFC 9162, section 2.1.4.2 has it.

    Raises:
        ValueError: the path has not the length that these sizes ask for.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {old} within one of {new}")
    given = iter(path if old & (old - 1) else [old_root, *path])
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if old == new and not path:
        return old_root, old_root
    first = second = _next(given)
    while last:
        if node & 1 or node == last:
            one = _next(given)
            first, second = node_hash(one, first), node_hash(one, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, _next(given))
        node, last = node >> 1, last >> 1
    if next(given, None) is not None:
        raise ValueError("the path is too long")
    return first, second
