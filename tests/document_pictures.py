"""Pictures of the first pages of every official document, for ``docs/official-documents.md``.

``python -m tests.document_pictures [FOLDER]`` draws them from the living world of the browser
tests, by the same code as the portal, into ``docs/images/documents``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from models.tables import Assignment, Occurrence
from operations.dossier_files import dossier_document
from operations.dossiers import of_milestone, of_task
from operations.urging import urging_facts
from operations.yearly_facts import yearly_facts
from reports.official.as_docx import as_docx
from reports.official.as_pdf import as_pdf, as_png
from reports.official.model import OfficialDocument
from reports.official.offices import Issuer
from reports.official.urging import urging_letter
from reports.official.yearly import yearly_report
from tests.portal_live import AGENCY, PLAN, TODAY, Live, live

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "documents"
PAGES = {"yearly": 3}
"""Pages that are shown where it is not the first two."""


def examples(site: Live) -> Iterator[tuple[str, OfficialDocument]]:
    """Every document, by the name of its picture."""
    now = site.clock.now()
    with site.runtime.database.read() as session:
        facts = yearly_facts(session, PLAN, TODAY.year, cutoff=TODAY, at=now)
        yield "yearly", yearly_report(facts)
        for issuer in Issuer:
            letter = urging_facts(session, PLAN, at=now, issuer=issuer)
            yield f"urging-{issuer.value}", urging_letter(letter)
        yield "milestone", dossier_document(session, of_milestone(session, PLAN, 2030), now=now)
        query = select(Assignment.occurrence_id).join(
            Occurrence, Occurrence.id == Assignment.occurrence_id
        )
        task = session.scalars(
            query.where(
                Assignment.agency_key == AGENCY,
                Occurrence.item_key == "I.1",
                Occurrence.period_key == str(TODAY.year),
            )
        ).first()
        yield "archive", dossier_document(session, of_task(session, task or 0), now=now)


def main(folder: Path, papers: Path | None = None) -> None:
    """Write the pictures, and the documents themselves where a folder for them is named."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, live(Path(name)) as site:
        for key, document in examples(site):
            for number, page in enumerate(as_png(document, ppi=68)[: PAGES.get(key, 2)], 1):
                (folder / f"{key}-{number}.png").write_bytes(page)
            if papers is not None:
                (papers / f"{key}.docx").write_bytes(as_docx(document))
                (papers / f"{key}.pdf").write_bytes(as_pdf(document))


if __name__ == "__main__":
    main(*(Path(one) for one in (sys.argv[1:] or [str(FOLDER)])))
