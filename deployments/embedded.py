"""``tiendo up``: everything on this machine, started, watched and stopped by one supervisor.

The supervisor itself stays small: it knows Prefect by its API only. Order: tables and catalog;
then the portal and Prefect's server side by side; the runner as soon as the portal answers; then
the first run of every item's flow, and the first letters.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

import httpx

from deployments.environment import child_environment
from deployments.first_runs import DELIVERY, FirstRuns, Say
from deployments.plan import Deployed, deployed
from deployments.ports import PortTaken, choose_ports
from deployments.processes import Child
from operations.errors import Refused
from runtime.locks import AlreadyHeld, FolderLock
from runtime.prefect_client import PrefectClient, PrefectDown
from runtime.preparing import Prepared, first_link, prepare
from runtime.sealing import ready_key
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

PORTAL = "deployments.portal --embedded"
LOCK_FILE = "up.lock"
READY_SECONDS = 120.0
GIVE_UP_AFTER = 3
"""A child that dies this often before it was ever ready is not started again."""


class StartFailed(Exception):
    """A part did not start; the text has the end of its log."""


class Stopped(Exception):
    """Told to stop while starting."""


def up(settings: Settings, *, say: Say = print, stop: threading.Event | None = None) -> int:
    """Run everything until SIGINT or SIGTERM, or until ``stop`` is set; returns the exit code.

    1 when another one runs on the same data folder, a port is taken, or a part does not start.
    """
    stopping = stop or threading.Event()
    with contextlib.ExitStack() as held:
        try:
            lock = held.enter_context(FolderLock(settings.data_dir / LOCK_FILE))
            settings, moved = choose_ports(settings)
        except AlreadyHeld as busy:
            say(_already(settings, busy))
            return 1
        except PortTaken as taken:
            say(str(taken))
            return 1
        held.enter_context(_signals(stopping))
        for one in moved:
            say(one)
        with open_runtime(settings) as runtime:
            prepared = prepare(runtime)
            with runtime.database.read() as session:
                plan = deployed(session, settings)
            first = first_link(runtime)
            _make_seal_key(runtime, say)
        supervisor = Supervisor(
            settings=settings, plan=plan, say=say, stop=stopping, first_link=first
        )
        lock.tell({"portal": settings.portal_url, "prefect": supervisor.prefect_page})
        say(_plan_text(settings, prepared, plan))
        return supervisor.run()


def _make_seal_key(runtime: Runtime, say: Say) -> None:
    """The key that signs the history, at set-up; what stands against it is said, and stops nothing."""
    try:
        ready_key(runtime)
    except Refused as refused:
        say(str(refused))


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Starts the parts, brings a dead one back, and stops all in order."""

    settings: Settings
    plan: list[Deployed]
    say: Say
    stop: threading.Event
    first_link: str | None = field(default=None, repr=False)
    """Where the first account is opened, while there is none."""
    _children: list[Child] = field(default_factory=list)
    _once: Child | None = None
    _begun: float = field(default_factory=time.monotonic)

    @property
    def prefect_page(self) -> str:
        """Where Prefect shows its runs."""
        return self.settings.prefect_url.removesuffix("/api")

    def run(self) -> int:
        """Start, tell, wait, stop. 1 when a part did not start."""
        try:
            self._start()
            while self._wait(1.0):
                pass
        except Stopped:
            pass
        except (StartFailed, TimeoutError) as failed:
            self.say(str(failed))
            return 1
        finally:
            self._stop_all()
        return 0

    def _start(self) -> None:
        settings = self.settings
        own = settings.prefect_api_url is None
        server = self._child("Máy chủ luồng Prefect", "prefect", self._server()) if own else None
        portal = self._child("Trang tác nghiệp", "portal", PORTAL)
        local = "[::1]" if settings.portal_host == "::" else settings.portal_host
        local = "127.0.0.1" if local == "0.0.0.0" else local  # noqa: S104 - asked, not bound
        self._until_ready(portal, lambda: _answers(f"http://{local}:{settings.portal_port}/"))
        # Runs of a server that is not ours may be somebody else's: none is swept there.
        serve = "deployments.serve --embedded" + (" --sweep" if own else "")
        runner = self._child("Tiến trình chạy luồng", "flows", serve)
        with PrefectClient(settings.prefect_url, timeout=30.0, tries=12) as client:
            self._until_ready(server or runner, client.healthy)
            try:
                self._first_work(client, runner)
            except PrefectDown as error:  # the schedules go on by themselves
                self.say(f"Chưa chạy được lần đầu ({error}); các luồng sẽ chạy theo lịch.")
        self.say(self._summary())

    def _server(self) -> str:
        port = self.settings.prefect_port
        return f"deployments.child prefect server start --host 127.0.0.1 --port {port}"

    def _child(self, title: str, word: str, command: str) -> Child:
        child = self._make(title, word, command.split())
        child.start()
        self._children.append(child)
        return child

    def _make(self, title: str, word: str, command: list[str]) -> Child:
        return Child(
            title=title,
            command=command,
            environment=child_environment(self.settings),
            log=self.settings.logs_dir / f"{word}.log",
        )

    def _until_ready(self, child: Child, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                raise StartFailed(_failed(child, f"chưa sẵn sàng sau {READY_SECONDS:.0f} giây"))
            if child.deaths >= GIVE_UP_AFTER:
                raise StartFailed(_failed(child, "không khởi động được"))
            if not self._wait(0.2):
                raise Stopped
        self.say(f"{self._elapsed()} {child.title}: sẵn sàng")

    def _first_work(self, client: PrefectClient, runner: Child) -> None:
        first = FirstRuns(client=client, say=self.say, wait=self._wait)
        found = first.deployments(self.plan)
        if found is None:
            raise Stopped
        self.say(f"{self._elapsed()} {runner.title}: sẵn sàng, {len(self.plan)} luồng đã đăng ký")
        wanted = first.never_run(self.plan, found)
        if not wanted:
            return
        self.say(f"Chạy lần đầu {len(wanted)} luồng nhiệm vụ, rồi gửi thư:")
        sent = first.ended([found[DELIVERY].id])
        arguments = [*(one.entrypoint for one in wanted), f'{DELIVERY}={{"preview":true}}']
        once = self._once = self._make("Lần chạy đầu", "first", ["deployments.run_now", *arguments])
        once.start()
        done = first.follow(wanted, lambda: once.alive)
        done = done and first.follow([found[DELIVERY]], lambda: once.alive, earlier=sent)
        if self.stop.is_set():
            raise Stopped
        self.say(
            f"{self._elapsed()} Xong lần chạy đầu"
            if done
            else f"Lần chạy đầu chưa xong; các luồng sẽ chạy theo lịch. Nhật ký: {once.log}"
        )

    def _wait(self, seconds: float) -> bool:
        """Wait, minding the children; False when it is time to stop."""
        if self.stop.wait(seconds):
            return False
        for child in self._children:
            said = child.mind()
            if said:
                self.say(said)
        return True

    def _stop_all(self) -> None:
        """The runner first, so that no run is cut; the server last, so that runs can report."""
        if not self._children:
            return
        self.say("Đang dừng…")
        if self._once is not None:
            self._once.stop()
        for child in sorted(self._children, key=lambda one: _STOP_ORDER.index(one.log.stem)):
            child.stop()
        self.say("Đã dừng. Dữ liệu còn nguyên; chạy lại bằng “tiendo up”.")

    def _elapsed(self) -> str:
        return f"[{time.monotonic() - self._begun:4.0f} giây]"

    def _summary(self) -> str:
        settings = self.settings
        mailbox = (
            f"{settings.portal_url}/hop-thu-thu"
            if settings.uses_local_mailbox
            else f"gửi thật qua {settings.smtp_host}"
        )
        rows = (
            ("Trang tác nghiệp", settings.portal_url),
            ("Hộp thư thử" if settings.uses_local_mailbox else "Thư", mailbox),
            ("Lần chạy của Prefect", self.prefect_page),
            ("Dữ liệu", str(settings.data_dir)),
            ("Nhật ký", str(settings.logs_dir)),
        )
        width = max(len(label) for label, _ in rows)
        lines = [f"  {label:<{width}}  {value}" for label, value in rows]
        if self.first_link:
            lines += [
                "",
                "Chưa có tài khoản. Mở liên kết sau để tạo (dùng một lần, trong 24 giờ):",
                f"  {self.first_link}",
                "",
            ]
        return "\n".join(["", "Hệ thống đang chạy.", *lines, "Dừng bằng Ctrl+C.", ""])


_STOP_ORDER = ("flows", "portal", "prefect")


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set ``stop``; a thread that is not the main one leaves them alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answers(url: str) -> bool:
    try:
        return (
            httpx.get(url, timeout=2.0, trust_env=False).status_code
            < httpx.codes.INTERNAL_SERVER_ERROR
        )
    except httpx.HTTPError:
        return False


def _failed(child: Child, why: str) -> str:
    return f"{child.title} {why}. Cuối nhật ký {child.log}:\n{child.last_lines()}"


def _already(settings: Settings, busy: AlreadyHeld) -> str:
    told = busy.told
    where = f" ở {told['portal']}" if "portal" in told else ""
    return (
        f"Hệ thống đã chạy{where} (tiến trình {told.get('pid', '?')}) với dữ liệu {settings.data_dir}. "
        "Dừng tiến trình đó trước, hoặc đặt TIENDO_DATA_DIR là thư mục khác."
    )


def _plan_text(settings: Settings, prepared: Prepared, plan: list[Deployed]) -> str:
    items = [one for one in plan if one.item is not None]
    names = ", ".join(dict.fromkeys(one.name for one in items))
    lines = [
        f"Dữ liệu: {settings.data_dir}" + (" (mới)" if prepared.plans else ""),
        f"Đề án: {names}; {len(items)} nhiệm vụ, {len(plan)} luồng.",
        "Hệ thống chạy thử." if prepared.trial else "Hệ thống chính thức.",
    ]
    if prepared.contacts:
        lines.append(f"Đã tạo {prepared.contacts} đầu mối mẫu, địa chỉ kết thúc bằng .test.")
    lines.append("Khởi động: trang tác nghiệp, máy chủ luồng Prefect, tiến trình chạy luồng.")
    return "\n".join(lines)
