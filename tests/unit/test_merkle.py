"""The tree of RFC 6962, against its test vectors and an independent library (rule 38)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from rules.events import canonical_row_v1, canonical_v1, leaf_digest
from rules.merkle import (
    EMPTY_ROOT,
    WIDTH,
    Hashes,
    LogTree,
    consistency_path,
    inclusion_path,
    resume,
    root_by_path,
    roots_by_consistency,
)

# The leaves and roots of Certificate Transparency's own tests of section 2.1.
VECTORS = (
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
)


def _entry(number: int) -> bytes:
    return b"event %d" % number


def _kept(tree: LogTree, leaves: Sequence[bytes]) -> Hashes:
    """What the database keeps: the leaves and the completed subtrees."""
    subtrees = {(tier, index): root for tier, index, root in tree.completed}

    def read(tier: int, first: int, count: int) -> Sequence[bytes]:
        if tier == 0:
            return leaves[first : first + count]
        return [subtrees[tier, index] for index in range(first, first + count)]

    return read


def test_the_vectors_of_certificate_transparency_pass() -> None:
    """(38) Root by root, from the empty tree to eight leaves."""
    tree = LogTree()
    assert tree.root == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for leaf, root in VECTORS:
        tree.add(leaf_digest(bytes.fromhex(leaf)))
        assert tree.root.hex() == root


@pytest.mark.parametrize("size", [*range(1, 71), 255, 256, 257, 600])
def test_root_and_proofs_are_those_of_pymerkle(size: int) -> None:
    """(38) Every leaf of every size up to seventy; beyond, around the border of a subtree."""
    other, tree = InmemoryTree(algorithm="sha256"), LogTree()
    leaves = [leaf_digest(_entry(number)) for number in range(size)]
    for number, leaf in enumerate(leaves):
        other.append_entry(_entry(number))
        tree.add(leaf)
    kept, root = _kept(tree, leaves), tree.root
    assert root == other.get_root()
    for index in range(size) if size <= 70 else (0, 1, size // 2, size - 1):
        path = inclusion_path(index, size, kept)
        assert root_by_path(leaves[index], index, size, path) == root
        assert [leaves[index], *path] == other.prove_inclusion(index + 1).path
    for old in range(1, size + 1, 7):
        path = consistency_path(old, size, kept)
        before = other.get_root(old)
        assert roots_by_consistency(old, size, before, path) == (before, root)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_any_seals_one_after_another_come_to_the_root_of_all(batches: list[int]) -> None:
    """(38) Each goes on from what is kept of the tree so far and not from its leaves."""
    leaves: list[bytes] = []
    subtrees = LogTree()
    for count in batches:
        tree = resume(len(leaves), _kept(subtrees, leaves))
        new = [leaf_digest(_entry(len(leaves) + number)) for number in range(count)]
        tree.add_all(new)
        leaves += new
        subtrees.completed += tree.completed
        other = InmemoryTree(algorithm="sha256")
        other.append_entries([_entry(number) for number in range(len(leaves))])
        assert tree.root == other.get_root()


def test_a_seal_reads_hundreds_of_hashes_of_a_log_of_ten_million() -> None:
    """(38) Whatever its size."""
    read = 0

    def kept(tier: int, first: int, count: int) -> Sequence[bytes]:
        nonlocal read
        read += count
        return [b"%032d" % (tier * 10**9 + first + one) for one in range(count)]

    tree = resume(10_000_000, kept)
    assert tree.size == 10_000_000
    assert read < 4 * WIDTH
    inclusion_path(7_654_321, 10_000_000, kept)
    assert read < 16 * WIDTH


@pytest.mark.parametrize("wrong", ["short", "long", "other", "index"])
def test_a_proof_that_was_touched_does_not_hold(wrong: str) -> None:
    """(38)"""
    leaves = [leaf_digest(_entry(number)) for number in range(13)]
    tree = LogTree()
    tree.add_all(leaves)
    path, index = inclusion_path(5, 13, _kept(tree, leaves)), 5
    if wrong == "short":
        path = path[:-1]
    elif wrong == "long":
        path = [*path, leaves[0]]
    elif wrong == "other":
        path[1] = leaves[9]
    else:
        index = 4
    try:
        assert root_by_path(leaves[5], index, 13, path) != tree.root
    except ValueError:
        assert wrong in {"short", "long"}


texts = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text()


@given(st.dictionaries(st.text("abcdef_", min_size=1), texts, min_size=1))
def test_the_fast_writer_of_the_canonical_form_writes_the_same_bytes(
    fields: dict[str, str | int | None],
) -> None:
    """(38) Whatever the order of the columns."""
    columns = list(fields)
    assert canonical_row_v1(columns)([fields[name] for name in columns]) == canonical_v1(fields)


@pytest.mark.parametrize("value", [b"x", 1.5, 2**80])
def test_the_fast_writer_spells_what_no_event_can_hold_as_no_event_is(value: object) -> None:
    """(38) Whoever verifies reads on where somebody wrote such a value, and finds a fault."""
    write = canonical_row_v1(["a", "b"])
    assert write([value, "x"]) not in {  # type: ignore[list-item]
        canonical_v1({"a": one, "b": "x"}) for one in (None, "x", "1.5", str(value), 1, 2)
    }


def test_the_fast_writer_leaves_alone_what_follows_the_columns() -> None:
    assert canonical_row_v1(["a"])([1, 2, "x"]) == b'{"a":1}'


def test_a_leaf_is_never_a_node() -> None:
    """(38) The two are hashed under different prefixes."""
    tree = LogTree()
    tree.add_all([leaf_digest(b"a"), leaf_digest(b"b")])
    assert tree.root != hashlib.sha256(b"\x00" + leaf_digest(b"a") + leaf_digest(b"b")).digest()
