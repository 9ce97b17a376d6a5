"""A plan of eight years, taken over in its fourth: the state around it is rebuilt (11, 19, 35)."""

from datetime import date

from sqlalchemy import func, select

from models.tables import Assignment, Notice, Occurrence
from operations.dashboard import Scope, figures
from rules.timeliness import Cell
from tests import eight_years
from tests.engine import PROVINCE, engine


def test_eight_years_on_nine_days(database_url: str) -> None:
    """(11, 19, 21, 35) Imported, reorganised, opened: no rate above 100%, names of then."""
    with engine(database_url, folder=PROVINCE, start=eight_years.START) as one:
        eight_years.live(one)
        found = {each.day: each for each in eight_years.days(one)}
        assert all(0 <= each.rate <= 100 and each.done <= each.rows for each in found.values())
        assert {name for name in found[date(2025, 2, 28)].names if "Dân tộc" in name} == {
            "Ban Dân tộc"
        }
        assert not any(name.startswith("Huyện") for name in found[date(2025, 7, 1)].names)
        kept = [name for name in found[date(2025, 7, 1)].leads if name.startswith("Huyện")]
        assert kept, "what a district finished stands under its name of then"
        assert not any(name.startswith("Huyện") for name in found[date(2026, 12, 31)].leads)
        with one.database.read() as session:
            past = figures(session, Scope(cutoff=date(2027, 3, 31), year=2025))
            now = figures(session, Scope(cutoff=date(2027, 3, 31), year=2027))
            reminded = session.scalar(
                select(func.count())
                .select_from(Assignment)
                .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
                .outerjoin(Notice, Notice.assignment_id == Assignment.id)
                .where(
                    Occurrence.mode == "imported",
                    Assignment.next_reminder_on.is_not(None) | Notice.id.is_not(None),
                )
            )
        assert (past.total, reminded) == (0, 0)
        assert now.cells[Cell.DONE_IN_TIME] > 20
        text = eight_years.document(list(found.values()))
    assert eight_years.DOCUMENT.read_text(encoding="utf-8") == text, (
        "run: python -m tests.eight_years"
    )
