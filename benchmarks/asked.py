"""What benchmarks are asked on the command line: sizes, and one kind of database or both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tests import databases


def size_and_stores(doc: str | None, name: str, default: int) -> tuple[int, Sequence[str]]:
    """One size, called ``name`` in the help, and the kinds of database to measure."""
    parser = _parser(doc)
    parser.add_argument(name, nargs="?", type=int, default=default)
    given = parser.parse_args()
    return getattr(given, name), _stores(given)


def sizes_and_stores(
    doc: str | None, default: Sequence[int]
) -> tuple[Sequence[int], Sequence[str]]:
    """As many sizes as are named, and the kinds of database to measure."""
    parser = _parser(doc)
    parser.add_argument("sizes", nargs="*", type=int, default=default)
    given = parser.parse_args()
    return given.sizes, _stores(given)


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--only", choices=databases.STORES)
    return parser


def _stores(given: argparse.Namespace) -> Sequence[str]:
    return [given.only] if given.only else databases.STORES
