"""What must be done, by whom, by when: plans in versions, agencies, days, dates that were fixed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Key, Line, Word, one_of
from rules.reorganising import ChangeKind
from rules.values import Certainty, DateAuthority


class DatabaseFact(Base):
    """A fact about this database: whether it is a trial (rule 1), the horizon of its days."""

    __tablename__ = "database_fact"

    key: Mapped[Key] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class PlanRow(Base):
    """A plan. ``tracking_start`` is stored once (rule 19)."""

    __tablename__ = "plan"

    key: Mapped[Key] = mapped_column(primary_key=True)
    current_version: Mapped[int]
    tracking_start: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)


class PlanVersion(Base):
    """One version of a plan, whole, as canonical JSON of ``rules.values.Plan`` (rule 8)."""

    __tablename__ = "plan_version"

    plan_key: Mapped[Key] = mapped_column(ForeignKey("plan.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    effective_from: Mapped[date]
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    """SHA-256 of ``content`` in hexadecimal."""
    applied_at: Mapped[datetime]
    applied_by: Mapped[Line]


class AddedWork(Base):
    """Work outside the appendix (rule 44), by its code; ``content`` is its item as canonical JSON.

    It belongs to no version of the plan: applying a catalog never touches it. Numbers of a year
    have no gap, for rows are added under the plan's lock and never deleted.
    """

    __tablename__ = "added_work"
    __table_args__ = (
        UniqueConstraint("plan_key", "code"),
        UniqueConstraint("plan_key", "year", "number"),
        CheckConstraint("number >= 1 AND version >= 1", name="counts"),
    )

    id: Mapped[Id]
    plan_key: Mapped[Key] = mapped_column(ForeignKey("plan.key"))
    year: Mapped[int]
    number: Mapped[int]
    code: Mapped[Key]
    basis_code: Mapped[Line]
    basis_on: Mapped[date]
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[Line]
    updated_at: Mapped[datetime]
    updated_by: Mapped[Line]
    version: Mapped[int] = mapped_column(default=1)


class PolicySetting(Base):
    """A policy of a plan that was set in the system; the newest of a name is the one in force.

    It lies over the plan's version, so that applying a catalog does not undo it silently (rule 8).
    ``value`` is JSON; None gives the policy back to the catalog.
    """

    __tablename__ = "policy_setting"
    __table_args__ = (Index("ix_policy_setting_plan_key_name", "plan_key", "name"),)

    id: Mapped[Id]
    plan_key: Mapped[Key] = mapped_column(ForeignKey("plan.key"))
    name: Mapped[Key]
    value: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    set_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[Line]


class AgencyRow(Base):
    """An agency with its days of validity, see ``rules.values.Agency``."""

    __tablename__ = "agency"
    __table_args__ = (one_of("certainty", Certainty),)

    key: Mapped[Key] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    """The place in the file, which the export keeps."""
    name: Mapped[Line]
    formal_name: Mapped[Line | None]
    kind: Mapped[Word]
    code: Mapped[Word | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    letters: Mapped[bool] = mapped_column(default=True)
    pilot: Mapped[bool] = mapped_column(default=False)
    """While any agency is a pilot, letters to all others are held back (rule 19)."""
    certainty: Mapped[Word]
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)


class GroupRow(Base):
    """A named group of agencies; ``letters`` off switches its members' letters off (rule 36)."""

    __tablename__ = "agency_group"

    key: Mapped[Key] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[Line]
    letters: Mapped[bool] = mapped_column(default=True)
    certainty: Mapped[Word]
    note: Mapped[str | None] = mapped_column(Text)


class MemberRow(Base):
    """Membership in a group: an agency key or ``@group``; ``position`` keeps the file's order."""

    __tablename__ = "group_member"

    id: Mapped[Id]
    group_key: Mapped[Key] = mapped_column(ForeignKey("agency_group.key"), index=True)
    position: Mapped[int]
    ref: Mapped[Key]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class SuccessionRow(Base):
    """A successor takes over on a day by a document (rule 35)."""

    __tablename__ = "succession"
    __table_args__ = (UniqueConstraint("predecessor", "successor", "effective_on"),)

    id: Mapped[Id]
    predecessor: Mapped[Key] = mapped_column(ForeignKey("agency.key"))
    successor: Mapped[Key | None] = mapped_column(ForeignKey("agency.key"))
    effective_on: Mapped[date]
    document: Mapped[str | None] = mapped_column(Text)
    items: Mapped[str] = mapped_column(Text, default="")
    """Item keys separated by a space; empty means everything."""
    certainty: Mapped[Word]
    note: Mapped[str | None] = mapped_column(Text)


class ReorganisationRow(Base):
    """A change of agencies that people recorded (rule 35); ``content`` is its value as JSON.

    Its agencies, members and successions stand in their own tables from the beginning, with their
    days; ``settled_on`` is when accounts, links and contacts followed, None while its day is ahead.
    """

    __tablename__ = "reorganisation"
    __table_args__ = (one_of("kind", ChangeKind),)

    id: Mapped[Id]
    kind: Mapped[Word]
    effective_on: Mapped[date]
    document_code: Mapped[Line]
    document_issued_on: Mapped[date | None]
    content: Mapped[str] = mapped_column(Text)
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Line]
    settled_on: Mapped[date | None]
    settled_at: Mapped[datetime | None]


class DayRow(Base):
    """A resolved exception to Monday-Friday: a weekday off, or a weekend day worked (rule 3)."""

    __tablename__ = "day"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[Line]
    source: Mapped[Word]
    """``library`` or ``correction``."""
    document: Mapped[str | None] = mapped_column(Text)


class PeriodDate(Base):
    """The dates of one item in one period, fixed by a document (rule 17)."""

    __tablename__ = "period_date"
    __table_args__ = (
        UniqueConstraint("plan_key", "item_key", "period_key"),
        one_of("authority", DateAuthority),
    )

    id: Mapped[Id]
    plan_key: Mapped[Key] = mapped_column(ForeignKey("plan.key"))
    item_key: Mapped[Key]
    period_key: Mapped[Word]
    opens_on: Mapped[date | None]
    due_on: Mapped[date]
    authority: Mapped[Word]
    document_code: Mapped[Line]
    document_issued_on: Mapped[date | None]
    set_at: Mapped[datetime]
    set_by: Mapped[Line]
