"""Whether agencies, groups and successions fit together (rule 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from rules.directory import find_circle, group_arrows, succession_arrows
from rules.values import Agency, Group, Succession
from tasks_catalog.wording import nearest
from tasks_catalog.yaml_source import Loc, YamlSource


def check_agencies(
    source: YamlSource,
    agencies: Sequence[Agency],
    groups: Sequence[Group],
    successions: Sequence[Succession],
) -> None:
    """Note in ``source`` everything that keeps these from making a directory."""
    _check_keys(source, "agencies", [a.key for a in agencies])
    _check_keys(source, "groups", [g.key for g in groups])
    known = {a.key: a for a in agencies}
    refs = set(known) | {f"@{g.key}" for g in groups}
    for n, agency in enumerate(agencies):
        check_dates(source, ("agencies", n), agency.valid_from, agency.valid_to)
    for n, group in enumerate(groups):
        for m, member in enumerate(group.members):
            place = ("groups", n, "members", m)
            check_ref(source, place, member.ref, refs)
            check_dates(source, place, member.valid_from, member.valid_to)
    for n, entry in enumerate(successions):
        check_ref(source, ("successions", n, "predecessor"), entry.predecessor, refs)
        if entry.successor is not None:
            check_ref(source, ("successions", n, "successor"), entry.successor, refs)
        _check_handover(source, ("successions", n), entry, known)
    _check_circles(source, groups, successions)


def check_ref(source: YamlSource, place: Loc, ref: str, known: Iterable[str]) -> None:
    """Note a reference that names neither an agency nor a group."""
    if ref in known:
        return
    what = "nhóm cơ quan" if ref.startswith("@") else "cơ quan"
    otherwise = f"khai báo {what} này trong tệp cơ quan"
    source.refuse(place, f"không có {what} “{ref}”", nearest(ref, known, otherwise=otherwise))


def check_dates(source: YamlSource, place: Loc, first: date | None, last: date | None) -> None:
    """Note days of validity that end before they begin."""
    if first is not None and last is not None and last < first:
        remedy = "ghi ngày cuối cùng còn hiệu lực, không trước ngày đầu"
        source.refuse((*place, "valid_to"), f"{last} trước valid_from {first}", remedy)


def _check_keys(source: YamlSource, section: str, keys: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for n, key in enumerate(keys):
        if key in first:
            line = source.line((section, first[key], "key"))
            source.refuse(
                (section, n, "key"), f"trùng khóa “{key}”", f"đặt khóa khác (đã có ở dòng {line})"
            )
        else:
            first[key] = n


def _check_handover(
    source: YamlSource, place: Loc, entry: Succession, known: dict[str, Agency]
) -> None:
    """The predecessor ends on the day before, and its successor exists on the day."""
    day, old = entry.effective_on, known.get(entry.predecessor)
    if old is not None and old.valid_to != day - timedelta(days=1):
        written = old.valid_to or "để trống"
        source.refuse(
            (*place, "effective_on"),
            f"{day} không liền sau ngày cuối của “{old.key}” (valid_to: {written})",
            f"ghi valid_to của “{old.key}” là {day - timedelta(days=1)}, hoặc sửa effective_on",
        )
    new = known.get(entry.successor or "")
    if new is not None and not new.valid_on(day):
        source.refuse(
            (*place, "successor"),
            f"“{new.key}” chưa có hoặc không còn hiệu lực vào ngày {day}",
            "sửa valid_from, valid_to của cơ quan này hoặc ngày effective_on",
        )


def _check_circles(
    source: YamlSource, groups: Sequence[Group], successions: Sequence[Succession]
) -> None:
    if circle := find_circle(group_arrows(groups)):
        n = next(n for n, g in enumerate(groups) if g.key == circle[0])
        path = " → ".join(f"@{key}" for key in circle)
        remedy = "bỏ một nhóm ra khỏi nhóm kia"
        source.refuse(("groups", n, "members"), f"các nhóm chứa nhau thành vòng: {path}", remedy)
    if circle := find_circle(succession_arrows(successions)):
        steps = set(pairwise(circle))
        n = next(
            n for n, s in enumerate(successions) if (s.predecessor, s.successor or "") in steps
        )
        remedy = "cơ quan lập lại thì đặt khóa mới; bỏ một dòng kế thừa trong vòng này"
        source.refuse(
            ("successions", n, "successor"),
            f"các cơ quan kế thừa nhau thành vòng: {' → '.join(circle)}",
            remedy,
        )
