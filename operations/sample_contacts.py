"""Made-up contacts under the reserved domain ``.test``, so that a fresh system can be tried."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Contact, ContactKind
from operations.contacts import ContactInput, store_contacts
from operations.stamp import Stamp


def sample_domain(agencies_file: str) -> str:
    """The reserved domain of made-up addresses: ``khanh_hoa`` gives ``khanh-hoa.test``."""
    return f"{_host_label(agencies_file)}.test"


def _host_label(text: str) -> str:
    return "-".join(part for part in text.lower().replace("_", "-").split("-") if part)


def seed_sample_contacts(session: Session, stamp: Stamp, *, agencies_file: str) -> int:
    """Make up a mailbox and a focal point for every agency that has no contact at all.

    Addresses end in the reserved ``.test`` and are marked as samples; departments get a head as
    well. Returns how many contacts were made; agencies with a contact are left alone.
    """
    taken = set(session.scalars(select(Contact.agency_key).distinct()))
    wanted: list[ContactInput] = []
    for row in session.scalars(select(AgencyRow).order_by(AgencyRow.key)):
        if row.key not in taken:
            wanted += _samples(row, sample_domain(agencies_file))
    return len(store_contacts(session, stamp, wanted, sample=True))


def _samples(row: AgencyRow, domain: str) -> Iterable[ContactInput]:
    label = _host_label(row.key)
    yield ContactInput(agency_key=row.key, kind=ContactKind.MAILBOX, email=f"{label}@{domain}")
    yield ContactInput(
        agency_key=row.key,
        kind=ContactKind.FOCAL,
        name="Đầu mối mẫu",
        post="Chuyên viên",
        email=f"dau-moi.{label}@{domain}",
    )
    if row.kind == "department":
        yield ContactInput(
            agency_key=row.key,
            kind=ContactKind.HEAD,
            name="Lãnh đạo mẫu",
            post="Phó Giám đốc",
            email=f"lanh-dao.{label}@{domain}",
        )
