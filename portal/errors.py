"""What goes wrong at the door, as values; :mod:`portal.error_pages` makes pages of them."""

from __future__ import annotations


class PageError(Exception):
    """A page cannot be served; ``status`` is the HTTP status, the text what to do."""

    status = 500
    title = "Có lỗi xảy ra"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class NotThere(PageError):
    """No such page, or none for this visitor."""

    status, title = 404, "Không tìm thấy trang"

    def __init__(
        self,
        message: str = "Địa chỉ này không có hoặc không dành cho Quý cơ quan. "
        "Đề nghị quay về trang đầu hoặc mở lại liên kết trong thư nhắc.",
    ) -> None:
        super().__init__(message)


class NotAllowed(PageError):
    """The visitor may not do this."""

    status, title = 403, "Không có quyền thực hiện"


class StaleForm(NotAllowed):
    """A form without the mark that we gave out with the page."""

    title = "Biểu mẫu đã hết hiệu lực"

    def __init__(self) -> None:
        super().__init__(
            "Nội dung chưa được ghi. Đề nghị quay lại trang trước, tải lại trang rồi gửi lại. "
            "Nếu trình duyệt chặn cookie, đề nghị cho phép cookie của trang này."
        )


class LoginNeeded(PageError):
    """An account is needed, or its session has ended (rule 26)."""

    status, title = 401, "Đề nghị đăng nhập"

    def __init__(self) -> None:
        super().__init__("Đề nghị đăng nhập để xem trang này.")


class AccountUnready(PageError):
    """The account has to be put in order first: its password is too short without codes."""

    status, title = 403, "Cần đổi mật khẩu hoặc bật mã xác thực"

    def __init__(self) -> None:
        super().__init__("Đề nghị đổi mật khẩu hoặc bật lại mã xác thực trước khi làm việc tiếp.")


class BadForm(PageError):
    """A form that a browser of ours would not have sent."""

    status, title = 422, "Nội dung gửi lên không đúng"

    def __init__(
        self,
        message: str = "Nội dung chưa được ghi. Đề nghị quay lại trang trước và gửi lại biểu mẫu.",
    ) -> None:
        super().__init__(message)


class TooLarge(PageError):
    """More than a request may hold."""

    status, title = 413, "Nội dung gửi lên quá lớn"


class TooSlow(PageError):
    """A body that comes too slowly, or not at all."""

    status, title = 408, "Đường truyền quá chậm"

    def __init__(self) -> None:
        super().__init__(
            "Nội dung gửi lên bị ngắt quãng nên chưa được ghi. Đề nghị quay lại trang trước và gửi "
            "lại; nếu đường truyền yếu, gửi tệp nhỏ hơn hoặc chỉ ghi số, ngày văn bản."
        )


class TooMany(PageError):
    """Too many requests; ``seconds`` is how long to wait."""

    status, title = 429, "Thao tác quá nhiều lần"

    def __init__(self, seconds: int) -> None:
        self.seconds = max(1, seconds)
        minutes = -(-self.seconds // 60)
        super().__init__(f"Đề nghị chờ khoảng {minutes} phút rồi thử lại. Nội dung chưa được ghi.")
