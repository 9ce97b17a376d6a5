"""``tiendo simulate``: the whole engine through years of drawn troubles, checked day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app, options_of
from cli.errors import Failed, WrongUse
from cli.output import Output, shown

if TYPE_CHECKING:
    from simulator.life import Asked, Story
    from simulator.lives import Summary


@app.command("simulate", cls=Command)
def simulate_(
    ctx: typer.Context,
    *,
    seed: Annotated[
        int, typer.Option("--seed", min=0, metavar="SỐ", help="Số gieo: cùng số thì diễn y hệt.")
    ] = 1,
    years: Annotated[
        int, typer.Option("--years", min=1, max=8, metavar="NĂM", help="Bao nhiêu năm.")
    ] = 8,
    agencies: Annotated[
        int, typer.Option("--agencies", min=8, max=80, metavar="SỐ", help="Bao nhiêu cơ quan.")
    ] = 12,
    lives: Annotated[
        int,
        typer.Option("--lives", min=1, metavar="SỐ", help="Bao nhiêu lần, từ số gieo đó trở đi."),
    ] = 1,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=64, metavar="SỐ", help="Bao nhiêu tiến trình.")
    ] = 1,
) -> None:
    """Mô phỏng nhiều năm với đủ loại sự cố, kiểm tra từng ngày; không đụng đến dữ liệu thật.

    Mặc định chạy trong bộ nhớ; --database chỉ nhận một cơ sở dữ liệu còn trống.
    """
    from simulator.life import Asked
    from simulator.lives import Summary, live_all, seeds_from, silenced

    given, out = options_of(ctx).database, Output(as_json=options_of(ctx).json)
    first = Asked(seed=seed, years=years, agencies=agencies, database=given or "sqlite://")
    if given is not None:
        _need_empty(given, lives)
    found = Summary()
    with silenced():
        for story in live_all(seeds_from(first, lives), jobs=jobs):
            found.add(story)
            _tell(out, story)
    _sum_up(out, found)
    if found.broken:
        raise Failed(f"{len(found.broken)} lần mô phỏng có điều không giữ được.")


def _need_empty(url: str, lives: int) -> None:
    from models.engine import Database
    from models.revision import database_revision

    if lives > 1:
        msg = "--database chỉ dùng cho một lần mô phỏng: bỏ --lives hoặc bỏ --database."
        raise WrongUse(msg, field="lives")
    database = Database(url)
    try:
        if database_revision(database) is not None:
            msg = f"{database.shown_url} đã có dữ liệu; mô phỏng cần một cơ sở dữ liệu còn trống."
            raise WrongUse(msg, field="database")
    finally:
        database.close()


def _tell(out: Output, story: Story) -> None:
    """A life in a line; one that broke with all that is needed to live it again."""
    from simulator.lives import replay

    asked: Asked = story.asked
    out.record(
        {
            "seed": asked.seed,
            "years": asked.years,
            "agencies": asked.agencies,
            "days": story.days,
            "events": story.events,
            "letters": story.letters,
            "faults": dict(sorted(story.met.items())),
            "checks": dict(sorted(story.checks.items())),
            "digest": story.digest,
            "broken": story.broken,
            "day": story.day,
            "replay": replay(asked),
        }
    )
    out.say(
        f"Số gieo {asked.seed}: {story.days} ngày, {story.events} sự kiện, {story.letters} thư, "
        f"{sum(story.met.values())} sự cố, {sum(story.checks.values())} lần kiểm tra; "
        f"lịch sử {story.digest[:16]}."
    )
    if story.broken:
        out.say(f"KHÔNG GIỮ ĐƯỢC, ngày {shown(story.day)}:")
        for line in story.broken:
            out.say(f"  {line}")
        out.say(f"Diễn lại: {replay(asked)}")


def _sum_up(out: Output, found: Summary) -> None:
    """Faults and checks by kind."""
    out.table(("Sự cố", "Số lần"), sorted(found.met.items()), keep=(0, 1))
    out.table(
        ("Điều phải giữ", "Số lần kiểm tra"),
        [(name.replace("_", " "), count) for name, count in sorted(found.checks.items())],
        keep=(0, 1),
    )
    out.say(
        f"{found.count} lần mô phỏng, {found.days} ngày, {found.seconds:.0f} giây; "
        f"{len(found.broken)} lần có điều không giữ được."
    )
