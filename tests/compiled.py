"""What a process compiles once in its life, kept over the many short lives of the tests."""

from __future__ import annotations

from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool


class Templates(BytecodeCache):
    """Templates as compiled for the first portal of this process; each test makes one of its own."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was kept, if it was made of the same text."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


class Statements:
    """Makes engines that share, for each kind of database, the statements compiled so far.

    SQLAlchemy keeps them for each engine and dialect by itself: a process that opens one engine
    compiles each statement once, and so do the tests, which open thousands.
    """

    def __init__(self) -> None:
        self._first: dict[str, Engine] = {}

    def create_engine(self, url: str, **options: Any) -> Engine:
        """As ``sqlalchemy.create_engine``."""
        engine = create_engine(url, query_cache_size=4000, **options)
        first = self._leader(engine)
        if first is not None:
            engine.dialect = first.dialect
            engine._compiled_cache = first._compiled_cache
        return engine

    def _leader(self, engine: Engine) -> Engine | None:
        """The engine whose dialect knows its server; None where that cannot be asked."""
        name = engine.dialect.name
        if name not in self._first:
            where = make_url("sqlite://") if name == "sqlite" else engine.url
            options: dict[str, Any] = {"poolclass": StaticPool} if name == "sqlite" else {}
            leader = create_engine(where, query_cache_size=4000, **options)
            try:
                leader.connect().close()
            except SQLAlchemyError:
                return None
            finally:
                leader.dispose()
            self._first[name] = leader
        return self._first[name]
