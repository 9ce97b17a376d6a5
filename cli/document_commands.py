"""``tiendo documents``: the yearly report, the letter that urges, and dossiers, as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.output import shown
from cli.params import PlanKey, any_path, day, instant, number, one_of, year

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.edge import Here
    from operations.dossiers import Choice
    from reports.official.model import OfficialDocument

documents = group(
    "documents",
    "Báo cáo, văn bản theo Nghị định 30/2020/NĐ-CP và hồ sơ: soạn ra tệp, ghi công văn đã phát hành.",
)
_ISSUERS = one_of(("coordinator", "province"), "cơ quan ban hành")

Out = Annotated[
    Path,
    typer.Argument(parser=any_path, metavar="TỆP", help="Tệp sẽ ghi, đuôi .docx, .pdf hoặc .zip."),
]
Issuer_ = Annotated[
    str,
    typer.Option(
        "--issuer", parser=_ISSUERS, metavar="AI", help="coordinator (Sở Nội vụ) hoặc province."
    ),
]
KnownAt = Annotated[
    datetime | None,
    typer.Option(
        "--known-at", parser=instant, metavar="LÚC", help="Theo dữ liệu như đã biết lúc này."
    ),
]


@documents.command("yearly", cls=Command)
def yearly(
    ctx: typer.Context,
    out: Out,
    *,
    of_year: Annotated[
        int, typer.Option("--year", parser=year, metavar="NĂM", help="Năm của báo cáo.")
    ],
    cutoff: Annotated[
        date | None,
        typer.Option(
            "--cutoff", parser=day, metavar="NGÀY", help="Tính đến hết ngày này; mặc định hôm nay."
        ),
    ] = None,
    original: Annotated[
        bool, typer.Option("--original", help="Tính theo hạn ban đầu, không theo hạn đang áp dụng.")
    ] = False,
    known_at: KnownAt = None,
    plan: PlanKey = None,
) -> None:
    """Báo cáo kết quả thực hiện Đề án của một năm (.docx, .pdf)."""
    from cli.edge import reading
    from operations.known_at import business_date
    from operations.yearly_facts import yearly_facts
    from reports.official.yearly import yearly_report

    with reading(ctx) as (here, session), _known(session, known_at) as then:
        at = known_at or here.runtime.clock.now()
        facts = yearly_facts(
            then,
            here.plans(plan)[0],
            of_year,
            cutoff=cutoff or business_date(at),
            at=at,
            original=original,
            known_at=known_at,
        )
        _write(here, yearly_report(facts), out)


@contextmanager
def _known(session: Session, at: datetime | None) -> Iterator[Session]:
    from operations.past import as_known_at

    if at is None:
        yield session
    else:
        with as_known_at(session, at) as then:
            yield then


@documents.command("urge", cls=Command)
def urge(
    ctx: typer.Context,
    out: Out,
    *,
    issuer: Issuer_ = "coordinator",
    respond_by: Annotated[
        date | None,
        typer.Option(
            "--respond-by",
            parser=day,
            metavar="NGÀY",
            help="Đề nghị hoàn thành chậm nhất ngày này.",
        ),
    ] = None,
    known_at: KnownAt = None,
    plan: PlanKey = None,
) -> None:
    """Công văn đôn đốc, kèm danh mục quá hạn và giờ của số liệu (.docx, .pdf)."""
    from cli.edge import reading
    from operations.urging import urging_facts
    from reports.official.offices import Issuer
    from reports.official.urging import urging_letter

    with reading(ctx) as (here, session):
        at = known_at or here.runtime.clock.now()
        with _known(session, at) as then:
            facts = urging_facts(
                then, here.plans(plan)[0], at=at, issuer=Issuer(issuer), respond_by=respond_by
            )
        _write(here, urging_letter(facts), out, {"data_at": at.isoformat()})
        here.out.say(f"Số liệu lúc {at.isoformat()}; ghi công văn bằng “documents issued”.")


@documents.command("issued", cls=Command)
def issued(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="SỐ", help="Số, ký hiệu công văn đã phát hành.")],
    *,
    issued_on: Annotated[
        date, typer.Option("--issued-on", parser=day, metavar="NGÀY", help="Ngày ban hành.")
    ],
    data_at: Annotated[
        datetime,
        typer.Option(
            "--data-at", parser=instant, metavar="LÚC", help="Giờ của số liệu trong Phụ lục."
        ),
    ],
    issuer: Issuer_ = "coordinator",
    plan: PlanKey = None,
) -> None:
    """Ghi công văn đôn đốc đã phát hành cho đúng những việc mà nó liệt kê."""
    from cli.edge import ready
    from operations.urging import Issued, record_urging
    from reports.official.offices import Issuer

    with ready(ctx) as here:
        letter = Issued(code=code, issued_on=issued_on, issuer=Issuer(issuer), data_at=data_at)
        with here.runtime.database.write() as session:
            done = record_urging(session, here.stamp(), here.plans(plan)[0], letter)
        here.out.record({"code": done.code, "covers": done.covers, "warning": done.warning})
        here.out.say(
            f"Đã ghi công văn {done.code} ngày {shown(issued_on)}: {done.covers} phân công."
        )
        if done.warning:
            here.out.note(done.warning)


@documents.command("milestone", cls=Command)
def milestone(
    ctx: typer.Context,
    out: Out,
    *,
    of_year: Annotated[
        int,
        typer.Option("--year", parser=year, metavar="NĂM", help="Năm sơ kết hoặc tổng kết."),
    ],
    plan: PlanKey = None,
) -> None:
    """Hồ sơ sơ kết, tổng kết: báo cáo (.docx, .pdf) hoặc tất cả tệp (.zip)."""
    from cli.edge import reading
    from operations.dossiers import of_milestone

    with reading(ctx) as (here, session):
        _dossier(here, session, of_milestone(session, here.plans(plan)[0], of_year), out)


@documents.command("dossier", cls=Command)
def dossier(
    ctx: typer.Context,
    occurrence: Annotated[
        int, typer.Argument(parser=number, metavar="KỲ", help="Số của kỳ thực hiện.")
    ],
    out: Out,
) -> None:
    """Hồ sơ lưu trữ một nhiệm vụ: mục lục (.docx, .pdf) hoặc tất cả tệp (.zip)."""
    from cli.edge import reading
    from operations.dossiers import of_task

    with reading(ctx) as (here, session):
        _dossier(here, session, of_task(session, occurrence), out)


def _dossier(here: Here, session: Session, choice: Choice, out: Path) -> None:
    from operations.dossier_files import dossier_document, dossier_zip

    now = here.runtime.clock.now()
    if out.suffix != ".zip":
        _write(here, dossier_document(session, choice, now=now), out)
        return
    with out.open("wb") as file:
        for part in dossier_zip(session, choice, folder=here.runtime.uploads, now=now):
            file.write(part)
    _told(here, out, {})


def _write(
    here: Here, document: OfficialDocument, out: Path, more: dict[str, object] | None = None
) -> None:
    from cli.errors import WrongUse
    from reports.official.as_docx import as_docx
    from reports.official.as_pdf import as_pdf

    if out.suffix == ".docx":
        content = as_docx(document)
    elif out.suffix == ".pdf":
        content = as_pdf(document)
    else:
        raise WrongUse(f"Tệp “{out.name}” cần đuôi .docx hoặc .pdf.", field="TỆP")
    out.write_bytes(content)
    _told(here, out, more or {})


def _told(here: Here, out: Path, more: dict[str, object]) -> None:
    """Say where the file is, and log that it was taken (rule 40)."""
    from cli.edge import ADDRESS, operator
    from operations.access import log_access

    with here.runtime.database.write() as session:
        log_access(
            session,
            at=here.runtime.clock.now(),
            actor=operator().name,
            method="EXPORT",
            path=f"documents/{out.name}"[:480],
            address=ADDRESS,
        )
    here.out.record({"file": str(out), "bytes": out.stat().st_size} | more)
    here.out.say(f"Đã ghi {out}.")
