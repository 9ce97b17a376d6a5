"""One posted form into one transaction: done, or the form again with what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from operations.errors import Conflict, NotFound, NotPermitted, Refused
from portal.forms import FieldError, FormState
from portal.portal import Portal
from portal.reading import FormErrors
from rules.documents import NotADocumentCode
from rules.lifecycle import ActionNotAllowed
from rules.timeliness import FutureDate
from rules.workdays import OutsideHorizon

_OUTSIDE = "Ngày này nằm ngoài các năm đang theo dõi; đề nghị kiểm tra lại năm."


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A form that was not taken: as it was typed, what is wrong, and the answer's status."""

    form: FormState
    status: int


def attempt(portal: Portal, form: FormState, do: Callable[[Session], None]) -> Failed | None:
    """Do something in one transaction; None when it is done, else nothing was changed."""
    try:
        with portal.runtime.database.write() as session:
            do(session)
    except FormErrors as error:
        named = replace(form, errors={**form.errors, **error.errors})
        return Failed(form=named, status=422)
    except (Conflict, ActionNotAllowed) as error:
        return Failed(form=form.with_error(None, str(error)), status=409)
    except NotPermitted as error:
        return Failed(form=form.with_error(None, str(error)), status=403)
    except NotFound as error:
        return Failed(form=form.with_error(None, str(error)), status=404)
    except Refused as error:
        return Failed(form=form.refused(error), status=422)
    except FutureDate as error:
        return Failed(form=form.with_error("issued_on", str(error)), status=422)
    except NotADocumentCode as error:
        return Failed(form=form.with_error("document", str(error)), status=422)
    except (OutsideHorizon, FieldError) as error:
        said = str(error) if isinstance(error, FieldError) else _OUTSIDE
        return Failed(form=form.with_error(None, said), status=422)
    return None
