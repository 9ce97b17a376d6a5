"""A document as PDF/A-2a, tagged for readers who hear it, set by Typst in fonts that we ship.

No program stands beside it and no font of the machine is used, so that the same values give the
same bytes everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from reports.official import form
from reports.official.model import Block, Grid, Heading, OfficialDocument, Paragraph, segments

if TYPE_CHECKING:
    import typst

MEDIA_TYPE: Final = "application/pdf"
_TEMPLATE: Final = "official.typ"


def as_pdf(document: OfficialDocument) -> bytes:
    """The document as PDF/A-2a."""
    with typesetter(document) as compiler:
        made = compiler.compile(
            format="pdf", pdf_standards="a-2a", timestamp=int(document.at.timestamp())
        )
    return _bytes(made)


def as_png(document: OfficialDocument, *, ppi: float = 80) -> list[bytes]:
    """Every page of it as a picture."""
    with typesetter(document) as compiler:
        made = compiler.compile(format="png", ppi=ppi)
    return [_bytes(one) for one in made] if isinstance(made, list) else [_bytes(made)]


def _bytes(made: object) -> bytes:
    if not isinstance(made, bytes):
        raise TypeError("the compiler gave no bytes")
    return made


@contextmanager
def typesetter(document: OfficialDocument) -> Iterator[typst.Compiler]:
    """The compiler with the document in it; what it needs lies in a folder of its own."""
    import typst

    with TemporaryDirectory(prefix="tiendo-van-ban-") as name:
        folder = Path(name)
        template = files("reports.official").joinpath(_TEMPLATE).read_text("utf-8")
        (folder / _TEMPLATE).write_text(template, "utf-8")
        (folder / "data.json").write_text(json.dumps(_data(document, folder)), "utf-8")
        yield typst.Compiler(
            folder / _TEMPLATE, root=folder, font_paths=[form.FONTS], ignore_system_fonts=True
        )


def _data(document: OfficialDocument, folder: Path) -> dict[str, Any]:
    head = document.letterhead
    return {
        "form": _form(),
        "title": document.title,
        "author": head.agency_name,
        "kind": document.kind,
        "subject": document.subject,
        "addressees": document.addressees,
        "annexed_to": document.annexed_to,
        "letterhead": {
            "parent": head.parent,
            "agency": head.agency,
            "number": head.number,
            "place_and_date": head.place_and_date,
        },
        "blocks": [_block(one, folder) for one in document.blocks],
        "signature": {
            "authority": document.signature.authority,
            "name": document.signature.name,
        },
        "recipients": document.recipients,
        "annexes": [
            {
                "number": one.number,
                "title": one.title,
                "sideways": one.sideways,
                "blocks": [_block(part, folder) for part in one.blocks],
            }
            for one in document.annexes
        ],
    }


def _form() -> dict[str, Any]:
    sizes = (
        *("PAGE_NUMBER", "NATION", "MOTTO", "PARENT", "AGENCY", "NUMBER", "PLACE", "TITLE"),
        *("ABOUT", "BODY", "SIGNER", "RECIPIENTS", "RECIPIENT", "TABLE", "TOP", "BOTTOM"),
        *("LEFT", "RIGHT", "INDENT", "BETWEEN", "LEFT_SHARE", "NATION_WORDS", "MOTTO_WORDS"),
    )
    width, height = form.PAGE
    found: dict[str, Any] = {name.lower(): getattr(form, name) for name in sizes}
    return found | {"fonts": form.PDF_FONTS, "width": width, "height": height}


def _said(text: str) -> list[tuple[str, bool]]:
    return list(segments(text))


def _block(one: Block, folder: Path) -> dict[str, Any]:
    if isinstance(one, Heading):
        return {"what": "heading", "level": one.level, "text": one.text}
    if isinstance(one, Paragraph):
        return {"what": "paragraph", "note": one.note, "text": _said(one.text)}
    if isinstance(one, Grid):
        return {
            "what": "grid",
            "caption": one.caption,
            "empty": one.empty,
            "bold": sorted(one.bold),
            "columns": [
                {"title": column.title, "share": column.share, "align": column.align.value}
                for column in one.columns
            ],
            "rows": [[_said(value) for value in row] for row in one.rows],
        }
    file = f"hinh-{len(list(folder.glob('hinh-*.png'))) + 1}.png"
    (folder / file).write_bytes(one.png)
    return {"what": "picture", "file": file, "alt": one.alt, "caption": one.caption}
