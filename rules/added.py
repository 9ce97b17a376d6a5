"""Work outside the appendix: "Giao bổ sung" (rule 44).

Added work is an item like those of the decision, in one period of its own, and is told from them
by its key alone: ``BS-2027/01``. No catalog file may use such a key.
"""

from __future__ import annotations

from datetime import date

from rules.choices import (
    Confirmation,
    DateAuthority,
    ItemKind,
    LeadMode,
    PeriodKind,
    Roll,
)
from rules.values import (
    ADDED_GROUP,
    BESIDE_GROUP,
    Document,
    Item,
    ItemCalendar,
    ItemParties,
    ItemText,
    PartySpan,
)

ADDED_PREFIX = f"{ADDED_GROUP}-"
BESIDE_PREFIX = f"{BESIDE_GROUP}."
"""Of work that the decision asks for outside its appendix: ``NPL.1`` (rule 41)."""
_FIRST_POSITION = 1_000_000
"""After every item of a decision."""


def added_key(year: int, number: int) -> str:
    """The code of the ``number``-th added work of ``year``: ``BS-2027/01``."""
    return f"{ADDED_PREFIX}{year}/{number:02d}"


def is_added(item_key: str) -> bool:
    """Whether an item stands outside the appendix."""
    return item_key.startswith(ADDED_PREFIX)


def is_beside(item_key: str) -> bool:
    """Whether the decision asks for it outside its appendix (rule 41)."""
    return item_key.startswith(BESIDE_PREFIX)


def is_counted_apart(item_key: str) -> bool:
    """Whether an item is kept out of the four cells of the appendix (rules 41, 44)."""
    return is_added(item_key) or is_beside(item_key)


def added_item(
    *,
    year: int,
    number: int,
    opens_on: date,
    due_on: date,
    basis: Document,
    task: str,
    product: str,
    lead_words: tuple[str, ...],
    partner_words: tuple[str, ...],
    leads: tuple[str, ...],
    partners: tuple[str, ...],
    lead_mode: LeadMode,
    confirmation: Confirmation,
    authority: DateAuthority,
    ladder: str,
) -> Item:
    """The item of one added work; ``due_on`` is the date asked for, before it rolls (rule 4).

    ``leads`` and ``partners`` are agency keys and ``@group``, the ``*_words`` how people read them.
    """
    key = added_key(year, number)
    issued = basis.issued_on
    day = "" if issued is None else f" ngày {issued.day}/{issued.month}/{issued.year}"
    said = f"{basis.code}{day}"
    return Item(
        key=key,
        group=ADDED_GROUP,
        position=_FIRST_POSITION + number,
        text=ItemText(
            number=key,
            task=task,
            activity_intro=None,
            activity_bullets=(),
            lead=lead_words,
            partners=partner_words,
            timing=f"Trước khi kết thúc ngày {due_on.day}/{due_on.month}/{due_on.year}",
        ),
        calendar=ItemCalendar(
            kind=ItemKind.TASK,
            period=PeriodKind.YEAR,
            first_period=str(year),
            last_period=str(year),
            opens=f"0 0 {opens_on.day} {opens_on.month} *",
            due=f"0 17 {due_on.day} {due_on.month} *",
            due_in_next=due_on.year - year,
            roll=Roll.NEXT,
            authority=authority,
            confirmation=confirmation,
            ladder=ladder,
            expected=(product,),
            basis=said,
        ),
        parties=ItemParties(
            lead_mode=lead_mode,
            leads=(PartySpan(refs=leads),),
            partners=(PartySpan(refs=partners),) if partners else (),
            basis=said,
        ),
    )
