"""A catalog that is wrong is refused whole, with file, line, field and remedy (rule 9)."""

import shutil
import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks_catalog.errors import CatalogErrors
from tasks_catalog.loader import load_plan
from tests.unit.catalog_mistakes import MISTAKES

CATALOGS = Path(__file__).parents[1] / "catalogs"
FILES = {
    "plan": "huyen_mau/plan.yaml",
    "calendar": "huyen_mau/calendar.yaml",
    "parties": "huyen_mau/parties.yaml",
    "agencies": "agencies/huyen_mau.yaml",
    "days_off": "catalogs/days_off.yaml",
}


@pytest.fixture
def catalogs(tmp_path: Path) -> Path:
    """A copy of the small plan, for breaking."""
    return Path(shutil.copytree(CATALOGS, tmp_path / "catalogs"))


def path_of(catalogs: Path, file: str) -> Path:
    return catalogs / FILES[file].removeprefix("catalogs/")


def refusal(catalogs: Path) -> list[str]:
    with pytest.raises(CatalogErrors) as caught:
        load_plan(catalogs / "huyen_mau")
    assert str(caught.value).splitlines() == [str(error) for error in caught.value.errors]
    return [str(error) for error in caught.value.errors]


def broken(catalogs: Path, file: str, old: str, new: str) -> list[str]:
    path = path_of(catalogs, file)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, "the words to break are there"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return [one.removeprefix(FILES[file]) for one in refusal(catalogs)]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [mistake[1:] for mistake in MISTAKES],
    ids=[mistake[0] for mistake in MISTAKES],
)
def test_mistake_is_named_with_its_place_and_remedy(
    catalogs: Path, file: str, old: str, new: str, message: str
) -> None:
    assert broken(catalogs, file, old, new) == [message]


def test_an_agency_key_used_twice(catalogs: Path) -> None:
    found = broken(catalogs, "agencies", "key: xa_tay\n", "key: xa_dong\n")
    assert found[0] == (
        ":18: agencies > xa_dong > key: trùng khóa “xa_dong”; đặt khóa khác (đã có ở dòng 14)"
    )


def test_an_item_key_used_twice(catalogs: Path) -> None:
    found = broken(catalogs, "plan", "key: A.2", "key: A.1")
    assert found[-1] == (
        ":26: groups > A > items > A.1 > key: trùng khóa “A.1”; "
        "mỗi nhiệm vụ một khóa riêng, dạng nhóm.số"
    )


def test_an_item_that_only_one_file_knows(catalogs: Path) -> None:
    assert broken(catalogs, "calendar", "  A.2:", "  A.3:") == [
        ":28: items: thiếu nhiệm vụ “A.2” của plan.yaml; thêm mục “A.2:” dưới “items”",
        (
            ":42: items > A.3: plan.yaml không có nhiệm vụ “A.3”; "
            "có phải là “A.2”? Nếu không, bỏ mục này"
        ),
    ]


def test_successors_in_a_circle(catalogs: Path) -> None:
    back = "45/QĐ-UBND\n  - predecessor: phong_ba\n    successor: phong_hai\n"
    found = broken(catalogs, "agencies", "45/QĐ-UBND\n", f"{back}    effective_on: 2027-01-01\n")
    assert found[0] == (
        ":44: successions > #1 > successor: các cơ quan kế thừa nhau thành vòng: "
        "phong_hai → phong_ba → phong_hai; "
        "cơ quan lập lại thì đặt khóa mới; bỏ một dòng kế thừa trong vòng này"
    )


def test_a_party_that_resolves_to_nobody_on_an_opening_day(catalogs: Path) -> None:
    """The group still exists, and all its members have gone."""
    agencies = path_of(catalogs, "agencies")
    text = agencies.read_text(encoding="utf-8")
    gone = "      - ref: xa_dong\n        valid_to: 2026-12-31\n"
    agencies.write_text(text.replace("      - xa_dong\n", gone), encoding="utf-8")
    assert broken(catalogs, "parties", "[phong_hai, '@plains']", "['@plains']") == [
        (
            ":16: items > A.2 > leads > #1 > refs: không chỉ cơ quan nào còn hiệu lực khi "
            "kỳ năm 2027 mở ngày 2027-02-01; "
            "nêu cơ quan đang hoạt động vào ngày đó, hoặc bổ sung nhóm"
        )
    ]


def test_a_partner_phrase_may_mean_nobody_only_when_it_says_so(catalogs: Path) -> None:
    parties = path_of(catalogs, "parties")
    text = parties.read_text(encoding="utf-8")
    parties.write_text(text.replace("- refs: [phong_mot]", "- refs: []"), encoding="utf-8")
    assert load_plan(catalogs / "huyen_mau").plan.item("A.1").parties.partners[0].refs == ()


def test_letters_in_decomposed_unicode(catalogs: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Phòng Hai")
    assert broken(catalogs, "agencies", "Phòng Hai", decomposed) == [
        (
            ":7: agencies > #2 > name: chữ có dấu ở dạng Unicode tổ hợp; "
            "chuyển sang Unicode dựng sẵn (NFC) rồi lưu lại"
        )
    ]


def test_a_file_in_an_old_encoding(catalogs: Path) -> None:
    path = path_of(catalogs, "plan")
    path.write_bytes(
        path.read_text(encoding="utf-8").encode("utf-8").replace(b"\xe1\xba\xa1", b"\xd5")
    )
    (message,) = refusal(catalogs)
    assert message == (
        "huyen_mau/plan.yaml:6: tệp: không phải mã UTF-8; lưu lại tệp ở mã UTF-8 (Unicode)"
    )


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(catalogs: Path, file: str) -> None:
    path_of(catalogs, file).unlink()
    assert refusal(catalogs) == [
        f"{FILES[file]}:1: tệp: không có tệp này; tạo tệp này, hoặc sửa lại đường dẫn"
    ]


def test_an_empty_file(catalogs: Path) -> None:
    path_of(catalogs, "parties").write_text("# chỉ có ghi chú\n", encoding="utf-8")
    assert refusal(catalogs) == ["huyen_mau/parties.yaml:1: tệp: tệp trống; ghi nội dung theo mẫu"]


def test_a_file_that_is_a_list(catalogs: Path) -> None:
    path_of(catalogs, "parties").write_text("- a\n", encoding="utf-8")
    (message,) = refusal(catalogs)
    assert message.startswith("huyen_mau/parties.yaml:1: tệp: không phải là nhóm trường")


def test_a_byte_order_mark_is_no_mistake(catalogs: Path) -> None:
    path = path_of(catalogs, "plan")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_plan(catalogs / "huyen_mau").plan.key == "huyen_mau"


def test_all_mistakes_are_told_at_once(catalogs: Path) -> None:
    for file, old, new in (
        ("plan", "first_year: 2026", "first_year: hai nghìn"),
        ("calendar", "roll: previous", "roll: back"),
        ("parties", "lead_mode: each", "lead_mode: all"),
        ("agencies", "letters: false", "letters: no letters"),
        ("days_off", "working: false", "working: 0"),
    ):
        path = path_of(catalogs, file)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    named = {message.split(":")[0] for message in refusal(catalogs)}
    assert named == set(FILES.values())


@settings(deadline=None)
@given(
    file=st.sampled_from(sorted(FILES)),
    line=st.integers(0, 60),
    fragment=st.sampled_from(
        ["", "- ", "  ", "null", "[]", "{}", ": ", "? [a]", "*x", "!!map", "'", "0x1f", "1e400",
         ".inf", "2027-02-30", "2027-01-01T10:00:00Z", "yes", "<<: {a: 1}", "\u0000", "%", "1_0"]
    ),
    keep=st.integers(0, 30),
)  # fmt: skip
def test_whatever_is_written_is_read_or_refused(
    file: str, line: int, fragment: str, keep: int
) -> None:
    """Rule 9: no text of a file makes the loader stumble."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(CATALOGS, Path(folder) / "catalogs"))
        path = path_of(copy, file)
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[line % len(lines)] = lines[line % len(lines)][:keep] + fragment
        path.write_text("\n".join(lines), encoding="utf-8")
        with suppress(CatalogErrors):
            load_plan(copy / "huyen_mau")
