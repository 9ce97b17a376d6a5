"""Danh mục, sắp xếp cơ quan: agencies change, by a form or a file, seen before it is done (35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.queries_reorganising import keep_closed, reorganisations, to_review
from operations.reorganising import ReorganisationRefused
from operations.reorganising_checks import KINDS
from operations.reorganising_look import Look
from operations.reorganising_preview import CHANGED, apply_seen, preview
from operations.settling import REORGANISATION
from operations.stamp import Stamp
from operations.state import load_directory
from portal.attempts import attempt
from portal.catalog_tables import reorganisations_table
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import file_form
from portal.forms import FormState, Posted, posted
from portal.past import looking
from portal.portal import address_of, portal_of
from portal.reading import FormErrors, Reading
from portal.reorganising_form import MOST, read_change, sizes_of
from portal.throttle import POSTS
from portal.told import say, told
from portal.visitors import person_of
from reports.tables import Table
from rules.lifecycle import STATUS_WORDS
from rules.reorganising import ChangeKind, Reorganisation
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.reorganisations import ReorganisationSource, read_reorganisations

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/danh-muc/sap-xep"
KEY: Final = "sap-xep"
_SALT: Final = "reorganisation"
MAX_FILE: Final = 200_000
"""Bytes of a file of changes."""
KIND_WORDS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.MERGE: "Hợp nhất, sáp nhập",
    ChangeKind.SPLIT: "Chia, tách",
    ChangeKind.RENAME: "Đổi tên",
    ChangeKind.END: "Kết thúc hoạt động",
    ChangeKind.FOUND: "Thành lập mới",
}
SLUGS: Final[Mapping[str, ChangeKind]] = {
    "hop-nhat": ChangeKind.MERGE,
    "chia-tach": ChangeKind.SPLIT,
    "doi-ten": ChangeKind.RENAME,
    "ket-thuc": ChangeKind.END,
    "thanh-lap": ChangeKind.FOUND,
}
Form = Annotated[Posted, Depends(posted)]


def _show(
    request: Request, form: FormState, status: int = 200, errors: Sequence[object] = ()
) -> Response:
    portal = portal_of(request)
    with looking(request) as view:
        rows = reorganisations(view.session, view.today)
        waiting = None if view.is_past else to_review(view.session)
    return portal.pages(
        request,
        "reorganisations.html",
        status=status,
        form=form,
        rows=rows,
        waiting=waiting,
        kinds=KIND_WORDS,
        slugs=SLUGS,
        statuses=STATUS_WORDS,
        errors=errors,
        may=person_of(request).can_decide and not view.is_past,
        said=told(request),
    )


@router.api_route(PATH, methods=_READ, name="reorganisations")
def changes(request: Request) -> Response:
    """Every change of agencies with its document, and what waits for a decision on reopening."""
    return _show(request, FormState())


def _file(request: Request) -> Table:
    with looking(request) as view:
        table = reorganisations_table(reorganisations(view.session, view.today), KIND_WORDS)
    return replace(table, notes=(*view.notes, *table.notes))


takes_away(router, "reorganisations", _file)


def _kind(change: str) -> ChangeKind:
    if change not in SLUGS:
        raise NotThere
    return SLUGS[change]


def _show_form(request: Request, change: str, form: FormState, status: int = 200) -> Response:
    portal, kind = portal_of(request), _kind(change)
    with portal.runtime.database.read() as session:
        directory = load_directory(session)
    olds, heirs = sizes_of(kind, form.values)
    return portal.pages(
        request,
        "reorganisation_form.html",
        status=status,
        change=change,
        kind=kind.value,
        title=KIND_WORDS[kind],
        form=form,
        olds=olds,
        heirs=heirs,
        most=MOST,
        agencies=directory.valid_on(portal.today),
        groups=directory.groups,
        kinds=KINDS,
    )


@router.api_route(PATH + "/moi/{change}", methods=_READ, name="reorganisation_form")
def reorganisation_form(request: Request, change: str) -> Response:
    """The form of one kind of change."""
    return _show_form(request, change, FormState())


def _look(
    session: Session, stamp: Stamp, asked: Sequence[Reorganisation], into: list[Look]
) -> None:
    try:
        into.append(preview(session, stamp, asked))
    except ReorganisationRefused as error:
        found = {one.field: one.text for one in reversed(error.problems)}
        raise FormErrors(found) from error


@router.post(PATH + "/moi/{change}", name="reorganisation_preview")
def reorganisation_preview(request: Request, change: str, form: Form) -> Response:
    """What the form would do; nothing is changed. Other buttons add a line or go back to it."""
    kind, state = _kind(change), FormState(deed=KEY, values=form.fields)
    if any(form.ticked(name) for name in ("them-cu", "them-moi", "sua")):
        olds, heirs = sizes_of(kind, form.fields)
        kept = {name: text for name, text in form.fields.items() if name not in _BUTTONS}
        sized = kept | {"olds": str(olds), "heirs": str(heirs)}
        return _show_form(request, change, replace(state, values=sized))
    asked, looks = list[Reorganisation](), list[Look]()
    stamp = portal_of(request).stamp(person_of(request).actor(address_of(request)))

    def look(session: Session) -> None:
        asked.append(read_change(form, kind))
        _look(session, stamp, asked, looks)

    failed = attempt(portal_of(request), state, look)
    if failed is not None:
        return _show_form(request, change, failed.form, failed.status)
    typed = {name: text for name, text in form.fields.items() if name not in _CARRIED_NOT}
    return _show_look(request, asked, looks[0], back=f"{PATH}/moi/{change}", typed=typed)


_BUTTONS: Final = frozenset({"them-cu", "them-moi", "sua", "xem"})
_CARRIED_NOT: Final = _BUTTONS | {"mark"}


def _show_look(
    request: Request,
    asked: Sequence[Reorganisation],
    look: Look,
    *,
    back: str = "",
    typed: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    portal, person = portal_of(request), person_of(request)
    values = [REORGANISATION.dump_python(one, mode="json") for one in asked]
    with portal.runtime.database.read() as session:
        names = {one.key: one.name for one in load_directory(session).agencies}
    return portal.pages(
        request,
        "reorganisation_look.html",
        status=status,
        asked=asked,
        look=look,
        names=names,
        kinds=KIND_WORDS,
        statuses=STATUS_WORDS,
        signed=portal.signing.write(_SALT, [person.username, look.seal, values]),
        back=back,
        typed=typed or {},
        problem=problem,
        today=portal.today,
    )


@router.post(PATH + "/tep", name="reorganisation_file")
def reorganisation_file(request: Request, form: Form) -> Response:
    """What a file would do, or all that is wrong with it; nothing is changed."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp = portal.stamp(person.actor(address_of(request)))
    state = FormState(deed="tep")
    if len(form.files) != 1:
        message = "Đề nghị chọn một tệp .yaml."
        return _show(request, state.with_error("file", message), 422)
    upload = form.files[0]
    raw = upload.file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        return _show(request, state.with_error("file", "Tệp quá 200 KB; đề nghị chia nhỏ."), 422)
    try:
        source = read_reorganisations(Path(Path(upload.filename or "tep.yaml").name), raw)
        look = _look_at(request, stamp, source)
    except CatalogErrors as error:
        return _show(request, state, 422, errors=error.errors)
    return _show_look(request, source.changes, look)


def _look_at(request: Request, stamp: Stamp, source: ReorganisationSource) -> Look:
    try:
        with portal_of(request).runtime.database.write() as session:
            return preview(session, stamp, source.changes)
    except ReorganisationRefused as error:
        raise source.errors(error.number, error.problems) from error


@router.post(PATH + "/ap-dung", name="reorganisation_apply")
def reorganisation_apply(request: Request, form: Form) -> Response:
    """Do what the preview showed, while it is still what would happen (rule 26)."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp, state = portal.stamp(person.actor(address_of(request))), FormState(deed=KEY)
    found = portal.signing.read(_SALT, form.fields.get("plan"))
    if not isinstance(found, list) or len(found) != 3 or found[0] != person.username:
        message = "Bản xem trước không còn dùng được; đề nghị xem trước lại."
        return _show(request, state.with_error(None, message), 422)
    asked = [REORGANISATION.validate_python(one) for one in found[2]]
    said: list[str] = []

    def do(session: Session) -> None:
        moved = apply_seen(session, stamp, asked, seal=found[1])
        said.append(
            f"Đã ghi {len(asked)} sắp xếp cơ quan: {moved.created} phân công tiếp nhận, "
            f"{moved.linked} gộp, {moved.ended} thôi theo dõi, {moved.to_review} cần xem xét mở lại."
        )

    failed = attempt(portal, state, do)
    if failed is None:
        return RedirectResponse(say(request, PATH, said[0]), status_code=303)
    looks: list[Look] = []
    if failed.form.problem == CHANGED:
        attempt(portal, state, lambda session: _look(session, stamp, asked, looks))
    if looks:
        return _show_look(request, asked, looks[0], problem=CHANGED, status=409)
    return _show(request, failed.form, failed.status)


@router.post(PATH + "/xem-lai/{assignment}", name="reorganisation_keep")
def reorganisation_keep(request: Request, assignment: int, form: Form) -> Response:
    """Decide that a row that had ended stays ended."""

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason = reading.text("reason")
        reading.done()
        keep_closed(session, stamp, assignment, reason=reason)
        return "Đã ghi: không mở lại."

    return file_form(
        request,
        form,
        f"xem-lai-{assignment}",
        do,
        then=PATH,
        show=lambda state, code: _show(request, state, code),
    )
