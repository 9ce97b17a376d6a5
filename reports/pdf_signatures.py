"""Who signed a PDF, when, and whether it holds; or that it is a picture of a paper.

Reads bytes that anybody may have sent: whoever calls this bounds its time and memory, see
``reports.pdf_check``. Nothing is ever fetched from a network, so revocation is not looked at.
The chain of a signer is judged at the time of signing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

from asn1crypto import x509
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

PAGES: Final = 50
"""Pages that are looked at for text; a scan shows itself on any of them."""
MAX_SIGNATURES: Final = 30
MAX_DEPTH: Final = 4
"""How far forms within forms are followed for text."""
_SHOWS_TEXT: Final = re.compile(rb"(?:\)|\]|>)\s*(?:Tj|TJ|'|\")")
_UNSEEN_TEXT: Final = re.compile(rb"\b3\s+Tr\b")
_INLINE_IMAGE: Final = re.compile(rb"\bBI\b.*?\bID\b", re.DOTALL)
_HARMLESS: Final = frozenset({ModificationLevel.NONE, ModificationLevel.LTA_UPDATES})
_USAGE: Final = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
)


class Verdict(StrEnum):
    """What a file is, the worst of its signatures deciding."""

    BROKEN = "broken"
    """Changed after it was signed."""
    UNREADABLE = "unreadable"
    """A signature is there that could not be read."""
    UNTRUSTED = "untrusted"
    """Whole, but the signer's chain leads to no root that the office trusts."""
    VALID = "valid"
    UNSIGNED = "unsigned"
    SCAN = "scan"
    """Pages that are pictures, without text and without a signature."""
    LOCKED = "locked"
    """A password is needed to open it."""
    UNEXAMINED = "unexamined"
    """Damaged, or too large or too intricate to look into."""


_WORST: Final = (Verdict.BROKEN, Verdict.UNREADABLE, Verdict.UNTRUSTED, Verdict.VALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature. ``signed_at`` is what the signer's machine said, ISO 8601, unless
    ``stamped``, when a time-stamp authority said it."""

    verdict: Verdict
    signer: str | None
    organisation: str | None
    issuer: str | None
    signed_at: str | None
    stamped: bool
    intact: bool
    added_after: bool
    """Whether the file grew after this signature, by other signatures among others."""
    trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found in a file, its signatures in the order in which they were made."""

    verdict: Verdict
    signatures: tuple[Signature, ...] = ()


def trusted_roots(folder: Path | None) -> list[x509.Certificate]:
    """The certificates of the PEM and DER files in ``folder``; none without a folder."""
    if folder is None:
        return []
    files = [one for one in sorted(folder.iterdir()) if one.suffix in {".pem", ".crt", ".cer"}]
    return list(load_certs_from_pemder([str(one) for one in files]))


def examine_pdf(content: bytes, roots: Sequence[x509.Certificate]) -> Examined:
    """Look into a PDF. What is wrong with it is a verdict, never an exception."""
    try:
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        if reader.encrypted and not _opened(reader):
            return Examined(verdict=Verdict.LOCKED)
        found = tuple(
            _signature(one, roots) for one in islice(reader.embedded_signatures, MAX_SIGNATURES)
        )
        if found:
            verdicts = {one.verdict for one in found}
            return Examined(
                verdict=next(one for one in _WORST if one in verdicts), signatures=found
            )
        return Examined(verdict=Verdict.SCAN if _only_pictures(reader) else Verdict.UNSIGNED)
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001 - hostile files fail in every way there is
        return Examined(verdict=Verdict.UNEXAMINED)


def _opened(reader: PdfFileReader) -> bool:
    """Whether it opens without a password, as files do that are only protected from copying."""
    return reader.decrypt("").status.name != "FAILED"


def _signature(one: EmbeddedPdfSignature, roots: Sequence[x509.Certificate]) -> Signature:
    signer = one.signer_cert
    try:
        status = _status(one, roots)
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return _told(signer, verdict=Verdict.UNREADABLE)
    whole = status.coverage in {
        SignatureCoverageLevel.ENTIRE_FILE,
        SignatureCoverageLevel.ENTIRE_REVISION,
    }
    harmless = status.coverage is SignatureCoverageLevel.ENTIRE_FILE or (
        status.modification_level in _HARMLESS or _only_signed_again(status)
    )
    holds = status.intact and status.valid and whole and harmless
    verdict = Verdict.BROKEN
    if holds:
        verdict = Verdict.VALID if status.trusted else Verdict.UNTRUSTED
    stamp = status.timestamp_validity
    stamped = stamp is not None and stamp.valid and stamp.intact
    return _told(
        signer,
        verdict=verdict,
        at=stamp.timestamp if stamp is not None and stamped else status.signer_reported_dt,
        stamped=stamped,
        intact=status.intact and status.valid,
        added=status.coverage is not SignatureCoverageLevel.ENTIRE_FILE,
        trusted=status.trusted,
    )


def _only_signed_again(status: PdfSignatureStatus) -> bool:
    """Filling in form fields is what a further signature does; more than that is a change."""
    return status.modification_level is ModificationLevel.FORM_FILLING and bool(status.docmdp_ok)


def _status(one: EmbeddedPdfSignature, roots: Sequence[x509.Certificate]) -> PdfSignatureStatus:
    moment = one.self_reported_timestamp
    context = ValidationContext(
        trust_roots=list(roots),
        allow_fetching=False,
        moment=moment,
        revocation_mode="soft-fail",
        other_certs=one.other_embedded_certs,
    )
    one.compute_integrity_info()
    return validate_pdf_signature(one, context, context, key_usage_settings=_USAGE)


def _told(
    signer: x509.Certificate | None,
    *,
    verdict: Verdict,
    at: datetime | None = None,
    stamped: bool = False,
    intact: bool = False,
    added: bool = False,
    trusted: bool = False,
) -> Signature:
    subject = _names(signer.subject) if signer else {}
    issuer = _names(signer.issuer) if signer else {}
    return Signature(
        verdict=verdict,
        signer=_line(subject.get("common_name")),
        organisation=_line(subject.get("organization_name")),
        issuer=_line(issuer.get("common_name") or issuer.get("organization_name")),
        signed_at=None if at is None else at.isoformat(),
        stamped=stamped,
        intact=intact,
        added_after=added,
        trusted=trusted,
    )


def _names(name: x509.Name) -> dict[str, Any]:
    return dict(name.native)


def _line(value: object) -> str | None:
    """A name as one short line, whatever a certificate holds there."""
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    text = " ".join("".join(one if one.isprintable() else " " for one in str(value or "")).split())
    return text[:200] or None


def _only_pictures(reader: PdfFileReader) -> bool:
    """Whether some page shows a picture and none shows text that can be seen."""
    count = min(int(reader.root["/Pages"]["/Count"]), PAGES)
    pictures = False
    for number in range(count):
        page = reader.find_page_for_modification(number)[0].get_object()
        resources = _resources(page)
        content = b"".join(_contents(page))
        if _has_text(content, resources, 0):
            return False
        pictures = pictures or _has_picture(content, resources, 0)
    return pictures


def _resources(page: Any) -> Any:
    """The resources of a page, its own or those it inherits."""
    for _ in range(32):
        if "/Resources" in page:
            return page["/Resources"]
        if "/Parent" not in page:
            break
        page = page["/Parent"]
    return {}


def _contents(page: Any) -> Iterable[bytes]:
    found = page.get("/Contents", None)
    parts = found if isinstance(found, generic.ArrayObject) else [found]
    for part in parts:
        stream = part.get_object() if part is not None else None
        if isinstance(stream, generic.StreamObject):
            yield stream.data + b"\n"


def _forms(resources: Any) -> Iterable[Any]:
    known = resources.get("/XObject", {})
    for key in islice(known, 200):
        yield known[key]


def _has_text(content: bytes, resources: Any, depth: int) -> bool:
    if _SHOWS_TEXT.search(content) and not _UNSEEN_TEXT.search(content):
        return True
    return depth < MAX_DEPTH and any(
        _has_text(one.data, one.get("/Resources", {}), depth + 1)
        for one in _forms(resources)
        if one.get("/Subtype", None) == "/Form"
    )


def _has_picture(content: bytes, resources: Any, depth: int) -> bool:
    if _INLINE_IMAGE.search(content):
        return True
    return any(
        one.get("/Subtype", None) == "/Image"
        or (
            depth < MAX_DEPTH
            and one.get("/Subtype", None) == "/Form"
            and _has_picture(one.data, one.get("/Resources", {}), depth + 1)
        )
        for one in _forms(resources)
    )
