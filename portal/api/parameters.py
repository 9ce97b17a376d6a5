"""The parameters of addresses of the API: what they may be, and what the page of docs says of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query

from portal.api.taken import BIGGEST
from rules.lifecycle import Status
from rules.values import Role

PlanKey = Annotated[
    str | None,
    Query(alias="plan", pattern=r"^[a-z0-9_]{1,80}$", description="Mã đề án, như trong /plans."),
]
ItemKey = Annotated[
    str | None,
    Query(alias="item", pattern=r"^[A-Za-z0-9./-]{1,40}$", description="Mã nhiệm vụ, ví dụ I.1."),
]
AgencyKey = Annotated[
    str | None,
    Query(alias="agency", pattern=r"^[a-z0-9_]{1,80}$", description="Mã cơ quan, như /agencies."),
]
PeriodKey = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{4}(-Q[1-4]|-[0-9]{2})?$", description="Kỳ: 2027, 2027-Q4 hoặc 2027-03."),
]
Year = Annotated[int | None, Query(ge=2000, le=2100, description="Năm của kỳ.")]
After = Annotated[int, Query(ge=0, le=BIGGEST, description="Số đứng trước trang này.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Số dòng của một trang.")]
Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9./-]{1,40}$", description="Mã nhiệm vụ, ví dụ I.1.")]
StatusIs = Annotated[Status | None, Query(description="Trạng thái, ví dụ in_progress.")]
RoleIs = Annotated[Role | None, Query(description="Vai trò: lead là chủ trì, partner là phối hợp.")]
Quarter = Annotated[int | None, Query(ge=1, le=4, description="Quý, 1 đến 4; cần có năm.")]
Entity = Annotated[
    str | None,
    Query(pattern=r"^[a-z_]{1,24}$", description="Loại đối tượng, ví dụ assignment."),
]
Since = Annotated[datetime | None, Query(description="Từ lúc này, theo UTC.")]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="Mã băm SHA-256 của tệp.")]
WorkId = Annotated[int, Path(ge=1, le=BIGGEST, description="Số của phân công.")]
