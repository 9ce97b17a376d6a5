"""The declarative base, column types and small builders that all tables share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Integer, MetaData, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Instant(TypeDecorator[datetime]):
    """An instant in UTC with microseconds (rule 1).

    PostgreSQL keeps it as ``timestamptz``; SQLite, which has no such type, as text of fixed width
    that sorts like the instants it stands for. A naive datetime is refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, ``timestamptz`` elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive instants, turn the others into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"an instant needs a time zone: {value!r}"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment.strftime(INSTANT_FORMAT) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware instant in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)  # ten times as fast as strptime
        return value.astimezone(UTC)  # type: ignore[no-any-return]


BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; plain INTEGER on SQLite, so that a primary key is the row id."""

Id = Annotated[int, mapped_column(BIG, primary_key=True)]
Key = Annotated[str, mapped_column(String(80))]
Word = Annotated[str, mapped_column(String(24))]
Line = Annotated[str, mapped_column(String(400))]


class Base(DeclarativeBase):
    """Base of all tables; constraint names are derived, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant()}  # noqa: RUF012 - read once by SQLAlchemy


def one_of(column: str, words: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A check that ``column`` holds one of a closed list of words."""
    values = ", ".join(f"'{word}'" for word in sorted(str(one) for one in words))
    return CheckConstraint(f"{column} IN ({values})", name=column)
