"""The words of the history: what was done to what, and every recorded field by its name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from notifications.formats import shorten, vn_date, vn_datetime
from operations.audit import Told
from portal.words import history_word
from rules.lifecycle import ACTION_WORDS, STATUS_WORDS, Action, Status

ENTITY_WORDS: Final[Mapping[str, str]] = {
    "assignment": "Phân công",
    "occurrence": "Kỳ thực hiện",
    "submission": "Kết quả",
    "extension": "Gia hạn",
    "proposal": "Đề xuất hai bước",
    "obstacle": "Vướng mắc",
    "period_date": "Lịch năm",
    "day": "Ngày nghỉ",
    "plan": "Đề án",
    "agency": "Cơ quan",
    "group": "Nhóm cơ quan",
    "succession": "Kế thừa",
    "reorganisation": "Sắp xếp cơ quan",
    "contact": "Đầu mối",
    "mailbox": "Hộp thư",
    "account": "Tài khoản",
    "file": "Tệp",
    "letter": "Thư",
    "link_token": "Liên kết trong thư",
    "database": "Cơ sở dữ liệu",
    "access_log": "Nhật ký truy cập",
    "finding": "Kiến nghị kiểm tra",
    "finding_report": "Báo cáo khắc phục",
    "added_work": "Giao bổ sung",
    "money": "Kinh phí",
    "policy": "Chính sách theo dõi",
    "calendar_feed": "Lịch hạn việc",
    "api_token": "Mã API",
    "open_data": "Dữ liệu mở",
    "outlet": "Báo ra ngoài",
    "urging": "Văn bản đôn đốc",
    "log": "Niêm phong lịch sử",
}
_MORE: Final[Mapping[tuple[str, str], str]] = {
    ("assignment", "assign"): "Giao nhiệm vụ",
    ("assignment", "add"): "Bổ sung cơ quan",
    ("assignment", "roll_day"): "Dời ngày do ngày nghỉ",
    ("assignment", "correct"): "Đính chính kết quả ghi nhận sau",
    ("occurrence", "open"): "Mở kỳ thực hiện",
    ("occurrence", "fix_date"): "Ấn định hạn của kỳ",
    ("occurrence", "roll_day"): "Dời hạn của kỳ do ngày nghỉ",
    ("period_date", "fix_date"): "Ấn định lịch năm",
    ("day", "correct"): "Điều chỉnh ngày nghỉ, ngày làm bù",
    ("plan", "apply"): "Áp dụng danh mục đề án",
    ("plan", "edit_calendar"): "Sửa lịch nhiệm vụ",
    ("assignment", "follow_calendar"): "Đổi hạn theo lịch nhiệm vụ mới",
    ("occurrence", "follow_calendar"): "Đổi hạn của kỳ theo lịch nhiệm vụ mới",
    ("agency", "apply"): "Cập nhật cơ quan",
    ("agency", "add"): "Thêm cơ quan",
    ("agency", "letters_on"): "Mở thư tự động cho cơ quan",
    ("agency", "letters_off"): "Tắt thư tự động của cơ quan",
    ("agency", "pilot_on"): "Đưa cơ quan vào thí điểm",
    ("agency", "pilot_off"): "Đưa cơ quan ra khỏi thí điểm",
    ("group", "apply"): "Cập nhật nhóm cơ quan",
    ("group", "letters_on"): "Mở thư tự động cho nhóm",
    ("group", "letters_off"): "Tắt thư tự động của nhóm",
    ("succession", "apply"): "Ghi cơ quan kế thừa",
    ("reorganisation", "merge"): "Ghi hợp nhất, sáp nhập cơ quan",
    ("reorganisation", "split"): "Ghi chia, tách cơ quan",
    ("reorganisation", "rename"): "Ghi đổi tên cơ quan",
    ("reorganisation", "end"): "Ghi cơ quan kết thúc hoạt động",
    ("reorganisation", "found"): "Ghi thành lập cơ quan",
    ("reorganisation", "take_effect"): "Sắp xếp cơ quan có hiệu lực",
    ("account", "move"): "Chuyển tài khoản sang cơ quan tiếp nhận",
    ("assignment", "review_closed"): "Xem xét, không mở lại",
    ("contact", "set"): "Cập nhật đầu mối",
    ("calendar_feed", "renew"): "Tạo địa chỉ lịch mới",
    ("contact", "remove"): "Bỏ đầu mối",
    ("mailbox", "mend"): "Sửa hộp thư",
    ("mailbox", "undeliverable"): "Hộp thư không nhận được thư",
    ("account", "add"): "Mở tài khoản",
    ("account", "set_password"): "Đặt mật khẩu",
    ("account", "set_plans"): "Chọn đề án của tài khoản",
    ("account", "enable"): "Mở lại tài khoản",
    ("account", "disable"): "Ngừng tài khoản",
    ("account", "lock"): "Khóa tạm tài khoản",
    ("account", "correct"): "Sửa thông tin của mình",
    ("account", "end_sessions"): "Đăng xuất mọi nơi",
    ("account", "totp_on"): "Bật mã xác thực",
    ("account", "totp_off"): "Tắt mã xác thực",
    ("account", "totp_reset"): "Quản trị đặt lại mã xác thực",
    ("account", "recovery_codes"): "Tạo mã khôi phục mới",
    ("account", "recovery_used"): "Dùng một mã khôi phục",
    ("account", "password_link"): "Cấp liên kết đặt mật khẩu",
    ("file", "store"): "Nhận tệp",
    ("file", "quarantine"): "Cách ly tệp",
    ("letter", "sent"): "Đã gửi thư",
    ("letter", "undeliverable"): "Thư không đến nơi",
    ("letter", "unknown"): "Thư chưa rõ kết quả",
    ("letter", "hold"): "Giữ thư",
    ("letter", "release"): "Cho gửi thư đã giữ",
    ("letter", "close"): "Đóng thư, không gửi",
    ("letter", "drop"): "Bỏ thư không còn nội dung",
    ("letter", "supersede"): "Thay thư chưa gửi",
    ("link_token", "issue"): "Cấp liên kết",
    ("link_token", "revoke"): "Thu hồi liên kết",
    ("link_token", "notified"): "Cơ quan đã mở và gửi biểu mẫu",
    ("api_token", "issue"): "Cấp mã API",
    ("api_token", "revoke"): "Thu hồi mã API",
    ("log", "make_key"): "Tạo khóa niêm phong",
    ("log", "rotate_key"): "Đổi khóa niêm phong",
    ("log", "replace_lost_key"): "Thay khóa niêm phong đã mất",
    ("database", "go_live"): "Chuyển sang vận hành chính thức",
    ("database", "restore"): "Khôi phục từ bản sao lưu",
    ("access_log", "archive"): "Lưu ra tệp rồi xóa nhật ký truy cập của một năm",
    ("finding", "record"): "Ghi kiến nghị kiểm tra",
    ("finding", "report"): "Báo cáo đã khắc phục kiến nghị",
    ("finding", "return"): "Trả lại báo cáo khắc phục",
    ("finding_report", "file"): "Nộp báo cáo khắc phục",
    ("finding_report", "return"): "Trả lại báo cáo khắc phục",
    ("finding", "fix"): "Xác nhận đã khắc phục",
    ("finding", "drop"): "Thôi theo dõi kiến nghị",
    ("added_work", "give"): "Giao bổ sung",
    ("added_work", "amend"): "Điều chỉnh nhiệm vụ giao bổ sung",
    ("added_work", "end"): "Thôi theo dõi nhiệm vụ giao bổ sung",
    ("assignment", "amend"): "Điều chỉnh nhiệm vụ giao bổ sung",
    ("occurrence", "amend"): "Điều chỉnh kỳ giao bổ sung",
    ("outlet", "register"): "Đăng ký nơi nhận tin",
    ("outlet", "switch_on"): "Bật nơi nhận tin",
    ("outlet", "switch_off"): "Tắt nơi nhận tin",
    ("outlet", "release"): "Cho gửi tin giữ sau khôi phục",
    ("outlet", "close"): "Đóng tin giữ sau khôi phục",
    ("open_data", "open"): "Công khai dữ liệu",
    ("open_data", "close"): "Thôi công khai dữ liệu",
    ("money", "set"): "Ghi kinh phí",
    ("policy", "set"): "Thay đổi chính sách",
    ("policy", "give_back"): "Trả chính sách về theo danh mục",
}
OFFERED_ACTS: Final[tuple[tuple[str, str], ...]] = (
    *(("assignment", one) for one in ("assign", "add", "take_over", "hand")),
    *(("assignment", one.value) for one in Action),
    *(("assignment", one) for one in ("extend", "reschedule", "fix_date", "roll_day")),
    ("submission", "file"),
    *(("extension", one) for one in ("ask", "propose", "grant", "refuse", "withdraw")),
    *(("obstacle", one) for one in ("raise", "answer", "consolidate", "close")),
    ("period_date", "fix_date"),
)
"""What the search offers by name; every other act is reached by its entity."""


def act_word(entity: str, action: str) -> str:
    """What people read for an event, whatever it happened to."""
    if (entity, action) in _MORE:
        return _MORE[entity, action]
    word = history_word(entity, action)
    if word != "Cập nhật":
        return word
    return f"{ENTITY_WORDS.get(entity, entity)}: cập nhật"


FIELD_WORDS: Final[Mapping[str, str]] = {
    "key_before": "Khóa công khai trước",
    "occurrence_id": "Kỳ thực hiện số", "assignment_id": "Phân công số", "agency_key": "Cơ quan",
    "agency_name": "Tên cơ quan", "role": "Vai trò", "round": "Lần thực hiện",
    "status": "Tình trạng", "status_before": "Tình trạng trước khi tạm dừng",
    "nominal_due_on": "Ngày theo lịch", "original_due_on": "Hạn ban đầu", "due_on": "Hạn",
    "authority": "Thẩm quyền ấn định", "document_code": "Văn bản", "document": "Văn bản",
    "respond_by": "Bổ sung, trả lời trước", "request_text": "Nội dung đề nghị phối hợp",
    "request_form": "Hình thức phối hợp", "request_document": "Văn bản đề nghị phối hợp",
    "requested_by": "Cơ quan đề nghị", "suspended_on": "Tạm dừng từ ngày",
    "submitted_at": "Gửi lúc", "submitted_on": "Gửi ngày", "submitted_by": "Người gửi",
    "completed_on": "Ngày hoàn thành", "late_entry": "Cập nhật chậm",
    "confirmed_at": "Xác nhận lúc", "confirmed_on": "Xác nhận ngày",
    "confirmed_by": "Người xác nhận", "self_confirmed": "Tự xác nhận",
    "sampled": "Được chọn kiểm tra mẫu", "extensions": "Số lần gia hạn",
    "returns": "Số lần đề nghị bổ sung", "covered_by_id": "Thực hiện chung với phân công số",
    "successor_id": "Chuyển sang phân công số", "handler": "Người thực hiện", "handler_account": "Tài khoản của người thực hiện",
    "handler_mailbox": "Thư công vụ của người thực hiện", "handle": "Mã địa chỉ lịch",
    "renewed_at": "Tạo địa chỉ lúc", "renewed_by": "Người tạo địa chỉ",
    "next_reminder_on": "Ngày nhắc tiếp theo", "plan_key": "Đề án", "plan_version": "Phiên bản",
    "item_key": "Nhiệm vụ", "period_key": "Kỳ", "period_first": "Kỳ từ ngày",
    "period_last": "Kỳ đến ngày", "opens_on": "Ngày mở", "mode": "Cách theo dõi", "kind": "Loại",
    "lead_mode": "Cách chủ trì", "confirmation": "Cách xác nhận", "ladder": "Bậc nhắc",
    "milestone": "Dấu mốc", "opened_at": "Mở lúc", "revision": "Lần sửa", "text": "Nội dung",
    "unchanged": "Không thay đổi so với năm trước", "figures": "Số liệu", "outcomes": "Kết quả bắt buộc",
    "line": "Mục chi", "planned": "Dự toán (đồng)", "spent": "Đã chi (đồng)",
    "papers": "Tài liệu kiểm chứng", "entered_channel": "Nhập thay, nhận qua",
    "entered_number": "Số đến", "asked_at": "Đề nghị lúc", "asked_on": "Đề nghị ngày",
    "asked_by": "Tài khoản đề nghị", "asked_name": "Người đề nghị",
    "requested_due_on": "Xin đến ngày", "reason": "Lý do", "explanation": "Giải trình",
    "asked_overdue": "Xin khi đã quá hạn", "state": "Trạng thái", "proposed_by": "Người đề xuất",
    "proposed_at": "Đề xuất lúc", "decided_at": "Quyết định lúc", "decided_by": "Người quyết định",
    "decision_reason": "Ý kiến quyết định", "cap_reason": "Lý do vượt số lần",
    "granted_due_on": "Hạn được duyệt", "action": "Thao tác", "payload": "Nội dung kèm theo",
    "raised_at": "Phản ánh lúc", "raised_by": "Người phản ánh", "answer": "Trả lời",
    "answered_at": "Trả lời lúc", "answered_by": "Người trả lời",
    "answer_document": "Văn bản trả lời", "username": "Tên đăng nhập", "name": "Tên",
    "post": "Chức vụ", "email": "Thư điện tử", "phone": "Điện thoại", "active": "Đang dùng",
    "password_hash": "Có mật khẩu", "totp_secret": "Có mã xác thực",
    "totp_reset_at": "Quản trị đặt lại mã lúc", "password_short": "Mật khẩu chỉ dùng cùng mã xác thực",
    "secret_hash": "Có mã", "scopes": "Phạm vi", "revoked_by": "Người thu hồi", "basis": "Căn cứ",
    "valid_from": "Có hiệu lực từ", "valid_to": "Đến hết ngày", "failures": "Số lần sai mật khẩu",
    "locked_until": "Khóa đến", "last_login_at": "Đăng nhập lần cuối", "enabled_at": "Mở lại lúc",
    "created_at": "Tạo lúc", "sample": "Dữ liệu mẫu", "key": "Mã", "position": "Thứ tự",
    "formal_name": "Tên đầy đủ", "code": "Mã cơ quan", "letters": "Thư tự động", "pilot": "Thí điểm",
    "certainty": "Mức chắc chắn", "note": "Ghi chú", "predecessor": "Cơ quan cũ",
    "successor": "Cơ quan kế thừa", "effective_on": "Hiệu lực từ", "items": "Các nhiệm vụ",
    "day": "Ngày", "working": "Là ngày làm việc", "source": "Nguồn",
    "document_issued_on": "Ngày văn bản", "issued_on": "Ngày văn bản", "set_at": "Ấn định lúc",
    "set_by": "Người ấn định", "sha256": "Mã SHA-256", "size": "Dung lượng (byte)",
    "media_type": "Loại tệp", "stored_at": "Nhận lúc", "quarantined_at": "Cách ly lúc",
    "quarantine_reason": "Lý do cách ly", "address": "Địa chỉ", "mailbox": "Hộp thư",
    "held_reason": "Lý do giữ", "queued_at": "Xếp hàng lúc", "sent_at": "Gửi lúc",
    "subject": "Tiêu đề", "attempts": "Số lần thử", "purpose": "Mục đích",
    "letter_id": "Thư số", "issued_at": "Cấp lúc", "expires_at": "Hết hạn lúc",
    "revoked_at": "Thu hồi lúc", "first_post_at": "Gửi biểu mẫu lần đầu lúc",
    "version": "Phiên bản", "digest": "Mã băm", "content": "Nội dung danh mục",
    "recorded_at": "Ghi lúc", "recorded_by": "Người ghi", "report": "Báo cáo khắc phục",
    "report_document": "Văn bản báo cáo", "closed_at": "Kết thúc lúc",
    "closed_by": "Người kết thúc", "closing_reason": "Ý kiến kết thúc",
    "closing_document": "Văn bản kết thúc", "members": "Thành viên",
    "basis_code": "Căn cứ", "basis_on": "Ngày văn bản", "year": "Năm", "number": "Số thứ tự",
    "created_by": "Người giao", "value": "Giá trị", "set_on": "Áp dụng từ ngày",
    "backup": "Bản sao lưu", "made_at": "Sao lưu lúc", "schema": "Phiên bản dữ liệu",
    "file": "Tệp lưu", "rows": "Số dòng dữ liệu", "events": "Số sự kiện", "files": "Số tệp tài liệu",
    "plans": "Đề án được xem", "recorded_on": "Ghi ngày", "settled_on": "Hoàn tất ngày", "settled_at": "Hoàn tất lúc",
}  # fmt: skip
TECHNICAL: Final = frozenset(
    {
        *("id", "version", "updated_at", "updated_by", "last_rung", "touched", "session_epoch"),
        *("totp_pending", "totp_last_step"),
        *("claimed_by", "claimed_at", "sending_at", "next_attempt_at", "message_id", "body_text"),
        *("body_html", "ics", "run", "identity", "stated_name", "stated_post", "outcome"),
    }
)
"""Fields that say nothing to people, or that the event says itself."""

_VALUES: Final[Mapping[str, str]] = {
    **{one.value: word for one, word in STATUS_WORDS.items()},
    "lead": "Chủ trì", "partner": "Phối hợp", "provisional": "Mốc dự kiến",
    "coordinator": "Cơ quan điều phối", "province": "UBND tỉnh", "ministry": "Bộ, trung ương",
    "full": "Theo dõi đầy đủ", "record": "Ghi nhận", "imported": "Ghi nhận sau",
    "asked": "Đang chờ quyết định", "proposed": "Đang chờ duyệt", "granted": "Đồng ý",
    "refused": "Không đồng ý", "withdrawn": "Đã rút", "raised": "Đang chờ trả lời",
    "answered": "Đã trả lời", "consolidated": "Đã tổng hợp, báo cáo UBND tỉnh",
    "closed": "Đã kết thúc", "task": "Nhiệm vụ có hạn", "check_in": "Cập nhật thường xuyên",
    "each": "Mỗi cơ quan chủ trì phần mình", "single": "Một cơ quan chủ trì",
    "joint": "Cùng chủ trì", "joint_or_separate": "Chung hoặc riêng",
    "open": "Đang theo dõi", "reported": "Đã báo cáo khắc phục", "fixed": "Đã khắc phục",
    "dropped": "Thôi theo dõi", "auditor": "Kiểm tra", "admin": "Quản trị",
    "leadership": "Lãnh đạo", "agency": "Cơ quan",
}  # fmt: skip
_CODED: Final = frozenset(
    {"status", "status_before", "role", "authority", "mode", "state", "kind", "lead_mode"}
)


def value_words(field: str, value: Any, agencies: Mapping[str, str]) -> str:
    """The value of a field as people read it."""
    if field == "plans":
        return ", ".join(str(value).split()) if value else "mọi đề án"
    if value is None or value == "":
        return "(trống)"
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, dict):
        return "; ".join(f"{_label(k)}: {value_words(k, v, agencies)}" for k, v in value.items())
    if isinstance(value, list):
        return " | ".join(value_words(field, one, agencies) for one in value) or "(trống)"
    text = str(value)
    if field in {"agency_key", "requested_by", "predecessor", "successor"}:
        return agencies.get(text, text)
    if field == "action":
        return ACTION_WORDS[Action(text)] if text in set(Action) else text
    if field in _CODED:
        return STATUS_WORDS[Status(text)] if text in set(Status) else _VALUES.get(text, text)
    return shorten(_moment(field, text), 1500)


def _moment(field: str, text: str) -> str:
    try:
        if field.endswith(("_on", "_first", "_last", "valid_to", "valid_from", "_by")):
            return vn_date(date.fromisoformat(text))
        if field.endswith(("_at", "_until")):
            return vn_datetime(datetime.fromisoformat(text))
    except ValueError:
        pass
    return text


def _label(field: str) -> str:
    return FIELD_WORDS.get(field, field)


def told_lines(told: Told, agencies: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Every field that an event changed, in words: its name, before, after.

    Of an entity's first event only what is there is said.
    """
    found = []
    for one in told.differences:
        if one.field in TECHNICAL or (told.first and one.after in (None, "", False, 0, {}, [])):
            continue
        before = "" if told.first else value_words(one.field, one.before, agencies)
        found.append((_label(one.field), before, value_words(one.field, one.after, agencies)))
    return found
