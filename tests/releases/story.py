"""A short story told to the command line of any release; what that release does not know is skipped.

Run by :mod:`tests.releases.make` in a checkout of the release: its own code writes the rows. It
imports nothing of the house but what every release has had.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def tell(url: str, folder: Path, plan: Path) -> list[str]:
    """Play the story on the database at ``url``; the commands that this release refused."""
    os.environ.update(
        TIENDO_ENV_FILE="",
        TIENDO_DATA_DIR=str(folder),
        TIENDO_DATABASE_URL=url,
        TIENDO_PLAN_FOLDERS=str(plan),
        TIENDO_LOCAL_MAIL_PORT="1",
        TIENDO_PREFECT_PORT="1",
    )
    return _Teller(folder).story()


class _Teller:
    def __init__(self, folder: Path) -> None:
        self.folder, self.refused = folder, list[str]()

    def say(self, *words: object, typed: str = "") -> list[dict[str, object]]:
        from cli.main import run

        out, err = io.StringIO(), io.StringIO()
        before, sys.stdin = sys.stdin, io.StringIO(typed)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([*map(str, words), "--json"])
        finally:
            sys.stdin = before
        if code:
            self.refused.append(f"{' '.join(map(str, words))}: {err.getvalue().strip()[:300]}")
            return []
        return [json.loads(line) for line in out.getvalue().splitlines() if line.startswith("{")]

    def work(self, item: str, agency: str, period: str | None = None) -> Sequence[int]:
        asked = ["work", "list", "--item", item, "--agency", agency, "--role", "lead"]
        rows = self.say(*asked, *(["--period", period] if period else []))
        return sorted(int(str(one["id"])) for one in rows)

    def story(self) -> list[str]:
        """A year of the small plan: opened, reminded, filed, returned, extended, ended, changed."""
        paper = self.folder / "bao-cao.pdf"
        self.folder.mkdir(parents=True, exist_ok=True)
        paper.write_bytes(b"%PDF-1.4\n% ket qua\n%%EOF\n")
        self.say("open", "--as-of", "2027-03-01")
        for name, role, agency in _PEOPLE:
            where = ["--agency", agency] if agency else []
            words = ("accounts", "add", name, "--role", role, *where, "--name", f"Người {name}")
            until = ("--basis", "Quyết định 1/QĐ", "--valid-to", "2030-12-31")
            self.say(*words, *until, "--password-stdin", typed="mat-khau-rat-dai-2027\n")
        self.say("days", "set", "2027-03-10", "--off", "--document", "9/TB-UBND")
        east, west = self.work("A.1", "xa_dong"), self.work("A.1", "xa_tay")
        self._file(east[:2], paper)
        self._ask(west[-3:])
        self.say("remind", "--as-of", "2027-03-05")
        self.say("remind", "--as-of", "2027-03-25")
        self.say("deliver", "--as-of", "2027-03-25")
        self.say("open", "--as-of", "2027-06-01")
        self.say("remind", "--as-of", "2027-06-02")
        self._later(west)
        return self.refused

    def _file(self, rows: Sequence[int], paper: Path) -> None:
        for place, number in enumerate(rows):
            paper_is = ("--document", f"{place + 1}/BC-UBND", "--issued-on", "2026-11-20")
            said = ("--text", "Đã báo cáo", *paper_is, "--figure", "ho_so=12")
            self.say("act", number, "start", "--as", "dong")
            self.say("act", number, "submit", "--as", "dong", *said, "--file", paper)
            again = ("--reason", "Thiếu số liệu", "--due-on", "2027-12-20")
            self.say("act", number, "reopen", "--as", "dieuphoi", *again)
            self.say("act", number, "submit", "--as", "dong", *said)

    def _ask(self, rows: Sequence[int]) -> None:
        for number in rows[:1]:
            due = ("--due-on", "2027-12-20", "--reason", "Bão số 3")
            self.say("act", number, "extension_ask", "--as", "tay", *due)
            self.say("act", number, "extension_grant", "--as", "dieuphoi", *due)
        for number in rows[1:2]:
            self.say("act", number, "waive", "--as", "dieuphoi", "--reason", "Không phát sinh")
        for number in rows[2:3]:
            why = ("--reason", "Chờ hướng dẫn", "--document", "7/CV-UBND")
            self.say("act", number, "suspend", "--as", "dieuphoi", *why)

    def _later(self, rows: Sequence[int]) -> None:
        """What came with later releases."""
        self.say("accounts", "invite", "tay")
        who = ("--agency", "xa_tay", "--purpose", "Phần mềm văn bản", "--valid-to", "2027-12-31")
        self.say("tokens", "add", "--name", "Phần mềm", *who)
        for number in rows[:1]:
            moved = ("--until", "2027-12-28", "--reason", "Theo thông báo")
            self.say("work", "reschedule", number, "--as", "dieuphoi", *moved)
        given = ("--task", "Rà soát biểu mẫu", "--product", "Báo cáo", "--due-on", "2027-09-30")
        on = ("--basis", "12/CV-UBND", "--basis-on", "2026-11-02", "--lead", "xa_dong")
        self.say("work", "assign", "--as", "dieuphoi", *on, *given)
        self.say("seal")
        self.say("verify")


_PEOPLE = (
    ("dieuphoi", "coordinator", "phong_mot"),
    ("lanhdao", "leadership", "phong_mot"),
    ("dong", "agency", "xa_dong"),
    ("tay", "agency", "xa_tay"),
    ("kiemtra", "auditor", None),
)

if __name__ == "__main__":
    for line in tell(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])):
        print(line)  # noqa: T201
