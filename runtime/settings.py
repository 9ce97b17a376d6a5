"""Settings: read once, from the environment and one file, and from nowhere else.

Each is a variable ``TIENDO_<NAME>``. ``docs/settings.md`` is the table of all of them, made from
this class by :func:`runtime.settings_help.settings_page`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.settings_help import PREFIX, SettingsError, explain, refuse_unknown
from runtime.settings_types import (
    Address,
    AgeKeys,
    ClaimName,
    Cron,
    DatabaseUrl,
    ExistingFile,
    ExistingFolder,
    Folder,
    Host,
    LimitsStorage,
    Line,
    PlanFolder,
    Port,
    TimeZone,
    WebAddress,
    setting,
)

__all__ = ["ENV_FILE", "Settings", "SettingsError", "load_settings"]

ENV_FILE = f"{PREFIX}ENV_FILE"
"""Names the file to read instead of ``.env``; empty means none. It is no setting itself."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORT = "một số từ 1 đến 65535"
_CRON = "năm trường “phút giờ ngày tháng thứ”, ví dụ 30 5 * * *"


class Settings(BaseSettings):
    """Everything that differs from place to place."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",  # other programs' variables stand in the same file
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    data_dir: Folder = setting(
        Path("var"),
        "Folder for the database, uploads, local mailbox, logs, Prefect's home and the secret key.",
        "một thư mục ghi được, ví dụ /srv/tiendo",
    )
    database_url: DatabaseUrl | None = setting(
        None,
        "Database; unset means a SQLite file in the data folder.",
        "postgresql://nguoidung:matkhau@maychu/csdl hoặc sqlite:////duong/dan/tiendo.sqlite",
        shown=False,
    )
    plan_folders: Annotated[tuple[PlanFolder, ...], NoDecode] = setting(
        (),
        "Catalog folders loaded into an empty database, separated by `:`; unset means all that ship.",
        "các thư mục có tệp plan.yaml, cách nhau bằng dấu “:”",
    )
    time_zone: TimeZone = setting(
        "Asia/Ho_Chi_Minh",
        "Time zone of schedules that belong to no plan.",
        "tên múi giờ, ví dụ Asia/Ho_Chi_Minh",
    )

    portal_host: Host = setting(
        "127.0.0.1", "Address that the portal listens on.", "địa chỉ IP, ví dụ 127.0.0.1"
    )
    portal_port: Port = setting(8718, "Port that the portal listens on.", _PORT)
    portal_public_url: WebAddress | None = setting(
        None,
        "Address of the portal as people see it, used in letters; unset means host and port.",
        "địa chỉ web đầy đủ, ví dụ https://tiendo.tinh.gov.vn",
    )

    prefect_port: Port = setting(
        4218, "Port of the embedded Prefect server, on 127.0.0.1 only.", _PORT
    )
    prefect_api_url: WebAddress | None = setting(
        None,
        "API of a Prefect server run elsewhere; unset means the embedded one.",
        "địa chỉ kết thúc bằng /api, ví dụ http://127.0.0.1:4218/api",
    )
    prefect_keep_days: Annotated[int, Field(ge=1, le=3650)] = setting(
        90,
        "Days for which Prefect keeps its own records of runs; ours are kept for ever.",
        "một số ngày từ 1 đến 3650, ví dụ 90",
    )
    flow_limit: Annotated[int, Field(ge=1, le=64)] = setting(
        2, "How many flow runs go on at once on this machine.", "một số từ 1 đến 64, ví dụ 2"
    )

    work_pool: Line | None = setting(
        None,
        "Work pool of Prefect that `tiendo deploy` fills and workers empty; unset means that "
        "`tiendo up` runs the flows itself.",
        "tên nhóm chạy luồng, ví dụ tiendo",
    )

    items_cron: Cron = setting(
        "30 5 * * *", "When the flows of the items run, a minute after one another.", _CRON
    )
    summary_cron: Cron = setting(
        "15 7 * * *",
        "When the week's summary is made, if not made yet: daily, for Monday may be a day off.",
        _CRON,
    )
    delivery_cron: Cron = setting("30 7 * * *", "When the day's letters are made and sent.", _CRON)
    delivery_again_cron: Cron = setting(
        "*/15 8-17 * * *", "When letters that came up or failed meanwhile are sent.", _CRON
    )
    nightly_cron: Cron = setting("0 1 * * *", "When the nightly checks run.", _CRON)
    seal_cron: Cron = setting("*/15 * * * *", "When new events are sealed.", _CRON)
    verify_cron: Cron = setting(
        "0 3 * * *",
        "When the whole history is verified and the day's checkpoint goes to the auditors.",
        _CRON,
    )

    backup_dir: Folder | None = setting(
        None,
        "Folder for backups, best on another disk; unset means `backups` in the data folder.",
        "một thư mục ghi được, tốt nhất ở ổ đĩa khác, ví dụ /mnt/saoluu/tiendo",
    )
    backup_recipient: AgeKeys | None = setting(
        None,
        "Public age keys that backups are encrypted for, separated by blanks; unset means none. "
        "`tiendo backup key` makes a pair.",
        "khóa công khai dạng age1…, cách nhau bằng dấu cách",
    )
    backup_cron: Cron = setting("30 1 * * *", "When the backup is made and tried.", _CRON)
    backup_keep_daily: Annotated[int, Field(ge=1, le=3660)] = setting(
        14, "How many days keep a backup each.", "một số từ 1 đến 3660, ví dụ 14"
    )
    backup_keep_weekly: Annotated[int, Field(ge=0, le=520)] = setting(
        8, "How many weeks keep a backup each.", "một số từ 0 đến 520, ví dụ 8"
    )
    backup_keep_monthly: Annotated[int, Field(ge=0, le=240)] = setting(
        24, "How many months keep a backup each.", "một số từ 0 đến 240, ví dụ 24"
    )
    backup_trial_url: DatabaseUrl | None = setting(
        None,
        "Empty PostgreSQL database in which restoring is tried; nothing stays in it. Unset means "
        "that one is made beside the real one and dropped, for which the role needs CREATEDB.",
        "postgresql://nguoidung:matkhau@maychu/csdl_trong",
        shown=False,
    )
    access_keep_years: Annotated[int, Field(ge=1, le=100)] | None = setting(
        None,
        "Whole years of the reading log that stay in the database when `tiendo archive access-log` "
        "is run; unset means that all stay.",
        "một số năm từ 1 đến 100",
    )

    smtp_host: Host | None = setting(
        None,
        "Mail server; unset means that letters go to the local mailbox and nowhere else.",
        "tên máy chủ thư, ví dụ mail.tinh.gov.vn",
    )
    smtp_port: Port = setting(587, "Port of the mail server.", _PORT)
    smtp_user: Line | None = setting(
        None, "Login at the mail server; unset means none.", "tên đăng nhập của hộp thư gửi"
    )
    smtp_password: SecretStr | None = setting(
        None, "Password at the mail server.", "mật khẩu của hộp thư gửi", shown=False
    )
    smtp_security: Literal["starttls", "tls", "none"] = setting(
        "starttls",
        "Protection of the connection: `starttls`, `tls` (from the first byte) or `none`.",
        "một trong: starttls, tls, none",
    )
    smtp_timeout: Annotated[float, Field(gt=0, le=600)] = setting(
        30.0, "Seconds to wait for each answer of the mail server.", "số giây từ 1 đến 600"
    )
    smtp_letter_timeout: Annotated[float, Field(gt=0, le=3600)] = setting(
        180.0,
        "Seconds for the whole conversation about one letter, however slowly the server speaks.",
        "số giây từ 1 đến 3600",
    )
    smtp_ca_file: ExistingFile | None = setting(
        None, "PEM file of a certificate authority of one's own.", "một tệp .pem có thật"
    )
    local_mail_port: Port = setting(8725, "Port of the local mailbox, on 127.0.0.1 only.", _PORT)
    mail_from: Address = setting(
        "nhacviec@tiendo.test",
        "Address that letters come from.",
        "địa chỉ thư, ví dụ nhacviec@tinh.gov.vn",
    )
    mail_from_name: Line | None = setting(
        None, "Name that letters come from; unset means the office.", "tên hiển thị của nơi gửi"
    )
    mail_reply_to: Address | None = setting(
        None, "Address that answers go to.", "địa chỉ thư, ví dụ cchc@tinh.gov.vn"
    )
    mail_domain: Host = setting(
        "tiendo.test",
        "Ends Message-IDs and calendar UIDs; keep it even when the sender's address changes.",
        "tên miền, ví dụ tinh.gov.vn",
    )
    office_name: Line | None = setting(
        None,
        "The coordinating office, as letters sign; unset means the name of the plan's coordinator.",
        "tên cơ quan điều phối",
    )
    contact_line: Line | None = setting(
        None,
        "The focal point at the coordinating office, as letters name it; unset means the office.",
        "họ tên, chức vụ hoặc phòng của đầu mối",
    )
    contact_phone: Line | None = setting(
        None,
        "The focal point's telephone; left out of letters while unset.",
        "số điện thoại của đầu mối",
    )
    operators_address: Address | None = setting(
        None, "Address told when something technical failed.", "địa chỉ thư của người vận hành"
    )
    auditors_address: Address | None = setting(
        None,
        "Address that a checkpoint of the history goes to daily, to be kept outside this system; "
        "unset means none.",
        "địa chỉ thư của nơi kiểm tra, ví dụ thanhtra@tinh.gov.vn",
    )

    seal_dir: Folder | None = setting(
        None,
        "Folder of the key that signs checkpoints of the history, and of the checkpoints kept "
        "beside it; unset means `seal` in the data folder. Best where whoever runs the database "
        "cannot write.",
        "một thư mục ghi được, ví dụ /etc/tiendo/seal",
    )
    signature_roots: ExistingFolder | None = setting(
        None,
        "Folder of PEM files: the root certificates that signatures of filed PDFs are trusted by.",
        "một thư mục có thật chứa các tệp .pem của nơi cấp chứng thư gốc",
    )
    link_secret: SecretStr | None = setting(
        None,
        "Key that signs links and sessions and encrypts the secrets of one-time codes; unset means "
        "a file in the data folder, made at first start. Changing it ends all links and sessions, "
        "and everybody's codes have to be reset (`tiendo accounts reset-totp`).",
        "chuỗi ngẫu nhiên dài ít nhất 32 ký tự",
        shown=False,
    )
    limits_storage: LimitsStorage = setting(
        "memory://",
        "Where the rate limits of the doors are counted: `memory://` for one portal process, "
        "`redis://host:6379/0` (`rediss://`, `redis+unix://`) shared by several.",
        "memory:// hoặc redis://maychu:6379/0",
        shown=False,
    )
    oidc_issuer: WebAddress | None = setting(
        None,
        "Provider of single sign-on (OpenID Connect), as its own configuration names itself; unset "
        "means none. Passwords go on working beside it.",
        "địa chỉ https của nơi cấp, ví dụ https://dangnhap.tinh.gov.vn/realms/tinh",
    )
    oidc_client_id: Line | None = setting(
        None, "Our name at the provider.", "mã ứng dụng đã đăng ký ở nơi cấp, ví dụ tiendo"
    )
    oidc_client_secret: SecretStr | None = setting(
        None,
        "Our secret at the provider; unset means a public client, protected by PKCE alone.",
        "mã bí mật do nơi cấp giao",
        shown=False,
    )
    oidc_name: Line = setting(
        "tài khoản dùng chung",
        "What the button of the sign-in page calls it: “Đăng nhập bằng …”.",
        "tên nơi cấp như người dùng gọi, ví dụ tài khoản dùng chung của tỉnh",
    )
    oidc_claim: ClaimName = setting(
        "preferred_username",
        "The claim that names the account. `email` counts only where the provider says that it has "
        "verified it.",
        "tên một thông tin do nơi cấp trả về, ví dụ preferred_username, email hoặc sub",
    )
    oidc_match: Literal["username", "email"] = setting(
        "username",
        "What of an account the claim must equal. With `email` only administrators change addresses.",
        "một trong: username, email",
    )
    oidc_scope: Line = setting(
        "openid profile email",
        "What is asked of the provider; `openid` must be there.",
        "các từ cách nhau bằng dấu cách, có openid",
    )
    oidc_second_factor_acr: Annotated[tuple[str, ...], NoDecode] = setting(
        (),
        "Values of `acr`, separated by blanks, by which the provider says that it asked for a "
        "second factor; `mfa` in `amr` says so too. Where neither does, our own code is asked for, "
        "of accounts that have one.",
        "các giá trị cách nhau bằng dấu cách",
    )
    oidc_ca_file: ExistingFile | None = setting(
        None, "PEM file of an authority of one's own, for the provider.", "một tệp .pem có thật"
    )
    open_data_origins: Annotated[tuple[WebAddress, ...], NoDecode] = setting(
        (),
        "Sites whose pages may read the open data in a browser (CORS), separated by blanks; unset "
        "means none. Servers may read it anyway.",
        "các địa chỉ web cách nhau bằng dấu cách, ví dụ https://cchc.khanhhoa.gov.vn",
    )
    outward_private: bool = setting(
        False,  # noqa: FBT003 - a default
        "Whether webhooks and chats may call addresses of private networks.",
        "true hoặc false",
    )
    outward_off_days: Annotated[int, Field(ge=1, le=60)] = setting(
        5,
        "Days of failing after which a webhook or chat is switched off.",
        "một số ngày từ 1 đến 60",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least level that is logged.", "một trong: debug, info, warning, error"
    )
    log_format: Literal["auto", "console", "json"] = setting(
        "auto",
        "Form of log lines; `auto` is `console` at a terminal and `json` elsewhere.",
        "một trong: auto, console, json",
    )
    trust_request_id: bool = setting(
        False,  # noqa: FBT003 - a default
        "Whether the request id of a proxy (`X-Request-ID`) is taken over; else each request gets "
        "one of ours.",
        "true hoặc false",
    )
    metrics_token: SecretStr | None = setting(
        None,
        "Token by which Prometheus reads `/metrics`; unset means that nobody does.",
        "chuỗi ngẫu nhiên dài ít nhất 32 ký tự",
        shown=False,
    )

    @field_validator("plan_folders", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part for part in value.split(os.pathsep) if part)
        return value

    @field_validator("open_data_origins", "oidc_second_factor_acr", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("link_secret", "metrics_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("khóa quá ngắn")
        if value is not None and "CHANGE-ME" in value.get_secret_value():
            raise ValueError("vẫn là chữ mẫu CHANGE-ME, ai cũng biết")
        return value

    @model_validator(mode="after")
    def _login(self) -> Self:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError(
                "TIENDO_SMTP_USER và TIENDO_SMTP_PASSWORD phải cùng có hoặc cùng để trống"
            )
        if self.smtp_user and self.smtp_security == "none" and self.smtp_host not in _LOOPBACK:
            raise ValueError(
                "TIENDO_SMTP_SECURITY=none sẽ gửi mật khẩu không mã hóa; cần starttls hoặc tls"
            )
        return self

    @model_validator(mode="after")
    def _sign_on(self) -> Self:
        if self.oidc_issuer is None:
            return self
        if self.oidc_client_id is None:
            raise ValueError("TIENDO_OIDC_ISSUER cần TIENDO_OIDC_CLIENT_ID đi cùng")
        if "openid" not in self.oidc_scope.split():
            raise ValueError("TIENDO_OIDC_SCOPE phải có openid, ví dụ: openid profile email")
        parts = urlsplit(self.oidc_issuer)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("TIENDO_OIDC_ISSUER phải bắt đầu bằng https://")
        return self

    @property
    def database_address(self) -> str:
        """The database's URL, the SQLite file of the data folder by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'tiendo.sqlite'}"

    @property
    def uploads_dir(self) -> Path:
        """Where filed evidence is kept, outside any web root."""
        return self.data_dir / "uploads"

    @property
    def seal_folder(self) -> Path:
        """Where the key that signs checkpoints lies."""
        return self.seal_dir or self.data_dir / "seal"

    @property
    def log_origin(self) -> str:
        """What checkpoints call the log, while the key is made; the key keeps it from then on."""
        return f"{self.mail_domain}/lich-su"

    @property
    def backups_dir(self) -> Path:
        """Where backups are kept."""
        return self.backup_dir or self.data_dir / "backups"

    @property
    def archive_dir(self) -> Path:
        """Where what was removed from the database lies in files."""
        return self.data_dir / "archive"

    @property
    def backup_keys(self) -> tuple[str, ...]:
        """The public keys that backups are encrypted for; none means that they are not."""
        return tuple((self.backup_recipient or "").split())

    @property
    def mailbox_dir(self) -> Path:
        """Where the local mailbox keeps its letters."""
        return self.data_dir / "mailbox"

    @property
    def logs_dir(self) -> Path:
        """Where the embedded processes write."""
        return self.data_dir / "logs"

    @property
    def prefect_home(self) -> Path:
        """The home of the embedded Prefect server."""
        return self.data_dir / "prefect"

    @property
    def portal_url(self) -> str:
        """The portal as people see it, without a slash at the end."""
        return self.portal_public_url or f"http://{self.portal_host}:{self.portal_port}"

    @property
    def prefect_url(self) -> str:
        """The API of the Prefect server in use."""
        return self.prefect_api_url or f"http://127.0.0.1:{self.prefect_port}/api"

    @property
    def uses_local_mailbox(self) -> bool:
        """Whether letters end in the local mailbox."""
        return self.smtp_host is None

    def environment(self) -> dict[str, str]:
        """Variables from which another process reads exactly these settings, and no file.

        Holds the secrets that were set: for the environment of our own child processes only.
        """
        found = {ENV_FILE: "", f"{PREFIX}DATA_DIR": str(self.data_dir)}
        for name in self.model_fields_set:
            value: Any = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            elif isinstance(value, tuple):
                value = (os.pathsep if name == "plan_folders" else " ").join(map(str, value))
            if value is not None:
                found[f"{PREFIX}{name.upper()}"] = str(value)
        return found


def load_settings() -> Settings:
    """Read the environment and ``.env`` (or the file that ``TIENDO_ENV_FILE`` names).

    Raises:
        SettingsError: with one line in Vietnamese for each mistake.
    """
    named = os.environ.get(ENV_FILE)
    file = Path(".env") if named is None else Path(named) if named else None
    if named and file is not None and not file.is_file():
        raise SettingsError([f"{ENV_FILE}={named}: không có tệp này; cần một tệp có thật"])
    refuse_unknown(Settings.model_fields, file, known=ENV_FILE)
    try:
        return Settings(_env_file=file)
    except ValidationError as error:
        lines = explain(error, Settings.model_fields)
    raise SettingsError(lines)  # outside the handler: the values must not ride along
