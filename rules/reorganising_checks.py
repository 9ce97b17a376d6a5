"""Whether a change of agencies can be: its shape, and the agencies that it names (rules 9, 35)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rules.directory import Directory, UnknownAgency, find_circle, succession_arrows
from rules.reorganising import ChangeKind, NewAgency, Problem, Reorganisation, same_name, vn_day
from rules.values import Agency, Succession


def shape_problems(one: Reorganisation) -> Iterator[Problem]:
    """What is wrong with a change whatever the agencies are."""
    olds, news = len(one.predecessors), len(one.successors)
    yield from _counts(one, olds, news)
    for n, key in enumerate(one.predecessors):
        if key in one.predecessors[:n]:
            yield Problem(field=f"predecessors.{n}", text=f"“{key}” ghi hai lần; chỉ ghi một lần.")
    heirs = [heir.agency for heir in one.successors]
    for n, heir in enumerate(one.successors):
        if (heir.agency is None) == (heir.new is None):
            text = "Chọn một cơ quan đang có, hoặc ghi tên cơ quan mới (không cả hai)."
            yield Problem(field=f"successors.{n}.agency", text=text)
        elif heir.agency is not None and heir.agency in one.predecessors:
            text = (
                f"“{heir.agency}” vừa là cơ quan cũ vừa là cơ quan tiếp nhận; cơ quan giữ lại sau "
                "sáp nhập thì bỏ khỏi danh sách cơ quan cũ, cơ quan lập lại thì ghi là cơ quan mới."
            )
            yield Problem(field=f"successors.{n}.agency", text=text)
        elif heir.agency is not None and heir.agency in heirs[:n]:
            text = f"“{heir.agency}” ghi hai lần; gộp phần việc vào một dòng."
            yield Problem(field=f"successors.{n}.agency", text=text)
    yield from _shares(one)


def _counts(one: Reorganisation, olds: int, news: int) -> Iterator[Problem]:
    match one.kind:
        case ChangeKind.MERGE if news != 1:
            text = (
                "Hợp nhất, sáp nhập cần đúng một cơ quan tiếp nhận; nhiều hơn thì chọn chia, tách."
            )
            yield Problem(field="successors.0.agency", text=text)
        case ChangeKind.MERGE if not olds or (olds < 2 and one.successors[0].new is not None):
            text = "Cần ít nhất hai cơ quan hợp thành cơ quan mới; chỉ một thì chọn đổi tên."
            yield Problem(field="predecessors.0", text=text)
        case ChangeKind.SPLIT if olds != 1:
            text = (
                "Chia, tách bắt đầu từ đúng một cơ quan; mỗi cơ quan khác ghi thành một lần riêng."
            )
            yield Problem(field="predecessors.0", text=text)
        case ChangeKind.SPLIT if news < 2:
            text = (
                "Chia, tách cần ít nhất hai cơ quan tiếp nhận; chỉ một thì chọn hợp nhất, đổi tên."
            )
            yield Problem(field="successors.0.agency", text=text)
        case ChangeKind.RENAME if olds != 1:
            text = "Đổi tên là của đúng một cơ quan; nhiều cơ quan thì chọn hợp nhất."
            yield Problem(field="predecessors.0", text=text)
        case ChangeKind.RENAME if news != 1 or one.successors[0].new is None:
            text = (
                "Đề nghị ghi tên mới; chuyển việc cho cơ quan đang có thì chọn hợp nhất, sáp nhập."
            )
            yield Problem(field="successors.0.name", text=text)
        case ChangeKind.END if not olds:
            yield Problem(field="predecessors.0", text="Đề nghị chọn cơ quan kết thúc hoạt động.")
        case ChangeKind.END if news:
            text = "Kết thúc hoạt động thì không có cơ quan tiếp nhận; nếu có, chọn hợp nhất."
            yield Problem(field="successors.0.agency", text=text)
        case ChangeKind.FOUND if olds:
            text = "Thành lập mới thì không có cơ quan cũ; nếu có, chọn hợp nhất, chia tách hoặc đổi tên."
            yield Problem(field="predecessors.0", text=text)
        case ChangeKind.FOUND if not news or any(heir.new is None for heir in one.successors):
            yield Problem(field="successors.0.name", text="Đề nghị ghi tên cơ quan thành lập mới.")


def _shares(one: Reorganisation) -> Iterator[Problem]:
    """Whether every piece of work has exactly one successor."""
    if one.kind is not ChangeKind.SPLIT:
        for n, heir in enumerate(one.successors):
            if heir.items:
                text = "Chỉ chia, tách mới chia nhiệm vụ; đề nghị để trống (nhận toàn bộ)."
                yield Problem(field=f"successors.{n}.items", text=text)
        return
    rest = [n for n, heir in enumerate(one.successors) if not heir.items]
    for n in rest[1:]:
        text = (
            "Đã có một cơ quan nhận phần còn lại; đề nghị ghi rõ nhiệm vụ mà cơ quan này nhận, "
            "ví dụ II.5, hoặc bỏ dòng này."
        )
        yield Problem(field=f"successors.{n}.items", text=text)
    if one.successors and not rest:
        text = (
            "Chưa cơ quan nào nhận phần còn lại, việc không nêu tên sẽ không có ai làm; đề nghị "
            "để trống nhiệm vụ ở đúng một cơ quan tiếp nhận."
        )
        yield Problem(field="successors.0.items", text=text)
    seen: dict[str, int] = {}
    for n, heir in enumerate(one.successors):
        for item in heir.items:
            if item in seen:
                text = f"Nhiệm vụ {item} đã giao ở dòng {seen[item] + 1}; mỗi nhiệm vụ một cơ quan."
                yield Problem(field=f"successors.{n}.items", text=text)
            seen.setdefault(item, n)


def directory_problems(
    one: Reorganisation, directory: Directory, items: Collection[str]
) -> Iterator[Problem]:
    """What is wrong with a change among these agencies; ``items`` are the item keys there are."""
    for n, key in enumerate(one.predecessors):
        yield from _predecessor(one, directory, n, key)
    for n, heir in enumerate(one.successors):
        if heir.agency is not None:
            yield from _existing(one, directory, n, heir.agency)
        if heir.new is not None:
            yield from _new(one, directory, n, heir.new)
        for item in heir.items:
            if item not in items:
                text = f"Không có nhiệm vụ “{item}”; ghi khóa như I.1, II.5, cách nhau dấu phẩy."
                yield Problem(field=f"successors.{n}.items", text=text)
        for group in heir.groups or ():
            if group not in {known.key for known in directory.groups}:
                known_keys = ", ".join(known.key for known in directory.groups)
                text = f"Không có nhóm “{group}”; các nhóm: {known_keys}."
                yield Problem(field=f"successors.{n}.groups", text=text)
        if one.kind is ChangeKind.FOUND and not heir.groups:
            text = (
                "Cơ quan mới chưa thuộc nhóm nào thì không được giao việc; chọn ít nhất một nhóm."
            )
            yield Problem(field=f"successors.{n}.groups", text=text)
    yield from _circle(one, directory)


def _predecessor(one: Reorganisation, directory: Directory, n: int, key: str) -> Iterator[Problem]:
    place, agency = f"predecessors.{n}", _find(directory, key)
    if agency is None:
        yield Problem(field=place, text=f"Không có cơ quan “{key}”; chọn trong danh mục cơ quan.")
        return
    planned = [entry for entry in directory.successions if entry.predecessor == key]
    if planned or (agency.valid_to is not None and agency.valid_to < one.effective_on):
        heirs = [directory.agency(entry.successor).name for entry in planned if entry.successor]
        to = f", chuyển sang {'; '.join(heirs)}" if heirs else ""
        until = f" hết ngày {vn_day(agency.valid_to)}" if agency.valid_to else ""
        text = (
            f"{agency.name} đã được ghi kết thúc{until}{to}; chọn cơ quan đang hoạt động, hoặc "
            "sắp xếp tiếp từ cơ quan tiếp nhận."
        )
        yield Problem(field=place, text=text)
    elif not agency.valid_on(one.last_day):
        text = (
            f"{agency.name} chỉ hoạt động từ {vn_day(agency.valid_from)}; ngày hiệu lực phải sau "
            "ngày đó."
        )
        yield Problem(field="effective_on", text=text)
    later = [
        entry.effective_on
        for entry in directory.successions
        if entry.successor == key and entry.effective_on >= one.effective_on
    ]
    if later:
        text = (
            f"{agency.name} đã được ghi là cơ quan tiếp nhận từ ngày {vn_day(max(later))}; chọn ngày "
            "hiệu lực sau ngày đó."
        )
        yield Problem(field="effective_on", text=text)


def _existing(one: Reorganisation, directory: Directory, n: int, key: str) -> Iterator[Problem]:
    place, agency = f"successors.{n}.agency", _find(directory, key)
    if agency is None:
        yield Problem(field=place, text=f"Không có cơ quan “{key}”; chọn trong danh mục cơ quan.")
    elif not agency.valid_on(one.effective_on):
        text = (
            f"{agency.name} không hoạt động ngày {vn_day(one.effective_on)}; chọn cơ quan có hiệu lực "
            "ngày đó, hoặc ghi là cơ quan mới."
        )
        yield Problem(field=place, text=text)


def _new(one: Reorganisation, directory: Directory, n: int, new: NewAgency) -> Iterator[Problem]:
    if not new.name.strip():
        yield Problem(field=f"successors.{n}.name", text="Đề nghị ghi tên cơ quan mới.")
        return
    there = [
        agency.name
        for agency in directory.valid_on(one.effective_on)
        if agency.key not in one.predecessors
    ]
    there += [heir.new.name for heir in one.successors[:n] if heir.new is not None]
    if any(same_name(new.name, name) for name in there):
        text = (
            f"Đã có cơ quan tên “{new.name}” vào ngày {vn_day(one.effective_on)}; nếu chính là cơ quan "
            "đó thì chọn ở danh sách cơ quan đang có, nếu khác thì ghi tên phân biệt."
        )
        yield Problem(field=f"successors.{n}.name", text=text)
    if new.key is not None and _find(directory, new.key) is not None:
        text = f"Khóa “{new.key}” đã có; đặt khóa khác, hoặc bỏ trống để tự đặt."
        yield Problem(field=f"successors.{n}.key", text=text)
    if new.kind is None and not one.predecessors:
        yield Problem(field=f"successors.{n}.kind", text="Đề nghị chọn loại cơ quan.")


def _circle(one: Reorganisation, directory: Directory) -> Iterator[Problem]:
    wanted = [
        Succession(predecessor=old, successor=heir.agency, effective_on=one.effective_on)
        for old in one.predecessors
        for heir in one.successors
        if heir.agency is not None
    ]
    circle = find_circle(succession_arrows([*directory.successions, *wanted]))
    if circle and len(set(circle)) > 1:
        names = [directory.agency(key).name for key in circle]
        text = (
            f"Các cơ quan kế thừa nhau thành vòng: {' → '.join(names)}; cơ quan lập lại thì ghi là "
            "cơ quan mới."
        )
        yield Problem(field="successors.0.agency", text=text)


def _find(directory: Directory, key: str) -> Agency | None:
    try:
        return directory.agency(key)
    except UnknownAgency:
        return None
