"""Every way to tamper with the history that we could think of, by somebody who owns the database.

``python -m tests.tampering`` does all of them and writes what ``verify`` says to each into
``docs/reliability.md``. The history is 300 events in three seals, so that a subtree is complete,
and two that are pending; a checkpoint of the second and of the third seal was kept outside.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from models.tables import Checkpoint, LogLeaf, LogPending
from operations.log_faults import Remark, Wrong
from operations.log_found import Outside, Verified
from operations.log_rows import canonical_of, column_texts, rows
from rules.events import leaf_digest
from rules.merkle import LogTree
from rules.notes import Head, SigningKey, parse_note, signed
from runtime.sealing import seal_now
from tests.databases import postgres_copies, postgres_server, sqlite_copies
from tests.sealed import Log, sealed_log

SEALS = (150, 120, 30)
PENDING = 2
VICTIM = 40
"""The index of the event that is tampered with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """One way. ``alone`` is what verify must say from the database and the key; None: nothing.

    ``outside`` is what it says with the checkpoints kept outside, where that is more.
    """

    name: str
    does: Callable[[Log], None]
    alone: Wrong | Remark | None
    names: int | None = None
    """The event that the sentence must name."""
    outside: Wrong | None = None


def lived(log: Log) -> list[Outside]:
    """Make the history; gives back the checkpoints that were kept outside."""
    kept = []
    for count in SEALS:
        # The first seal also holds the event that tells of the key.
        log.write(count)
        note = seal_now(log.runtime).note
        kept.append(Outside(source="niêm phong của kiểm tra viên", note=parse_note(note or "")))
        log.later()
    log.write(PENDING)
    return kept[1:]


def blob(log: Log, content: bytes) -> str:
    """Bytes as a literal of this database."""
    sqlite = log.runtime.database.is_sqlite
    return f"x'{content.hex()}'" if sqlite else f"'\\x{content.hex()}'::bytea"


def event_at(log: Log, index: int) -> int:
    """The event at an index of the log."""
    with log.runtime.database.read() as session:
        return session.scalars(select(LogLeaf.event_id).where(LogLeaf.index == index)).one()


def digest_now(log: Log, event: int) -> bytes:
    """The digest of what an event says now."""
    with log.runtime.database.read() as session:
        texts = column_texts(session.get_bind().dialect.name)
        (row,) = rows(session, f"SELECT {texts} FROM event e WHERE e.id = ?", event)
    return leaf_digest(canonical_of(row))


EDIT = "UPDATE event SET snapshot = replace(snapshot, 'Cơ quan', 'Co quan') WHERE id = {}"


def edit(log: Log, event: int | None = None) -> int:
    """Change what an event says."""
    number = event_at(log, VICTIM) if event is None else event
    log.behind(EDIT.format(number))
    return number


def edit_and_digest(log: Log, event: int | None = None) -> int:
    """Change what an event says, and the digest beside it."""
    number = edit(log, event)
    log.behind(
        f"UPDATE event SET digest = {blob(log, digest_now(log, number))} WHERE id = {number}"
    )
    return number


def leaves_again(log: Log) -> None:
    """Take every leaf's digest anew from its event."""
    log.behind(
        "UPDATE log_leaf SET digest = (SELECT digest FROM event WHERE event.id = log_leaf.event_id)"
    )


def forge(log: Log, *, key: SigningKey | None, subtrees: bool = True) -> None:
    """Work out subtrees and checkpoints anew from the leaves; signed where there is a key."""
    with log.runtime.database.read() as session:
        digests = [
            bytes(one) for one in session.scalars(select(LogLeaf.digest).order_by(LogLeaf.index))
        ]
        checkpoints = list(session.scalars(select(Checkpoint).order_by(Checkpoint.size)))
    tree, statements = LogTree(), []
    roots = {}
    for digest in digests:
        tree.add(digest)
        roots[tree.size] = tree.root
    if subtrees:
        statements.append("DELETE FROM log_subtree")
        statements += [
            f"INSERT INTO log_subtree VALUES ({tier}, {index}, {blob(log, root)})"
            for tier, index, root in tree.completed
        ]
    for one in checkpoints:
        if one.size not in roots:
            continue
        head = parse_note(one.note).head
        new = Head(
            origin=head.origin, size=one.size, root=roots[one.size], at=head.at, after=head.after
        )
        note = one.note.replace(head.text, new.text) if key is None else signed(new, [key])
        statements.append(
            f"UPDATE checkpoint SET root = {blob(log, new.root)}, note = '{note}' WHERE size = {one.size}"
        )
    log.behind(*statements)


def rewritten(log: Log) -> None:
    edit_and_digest(log)
    leaves_again(log)


def rewritten_with_subtrees(log: Log) -> None:
    rewritten(log)
    with log.runtime.database.read() as session:
        tree = LogTree()
        tree.add_all(session.scalars(select(LogLeaf.digest).order_by(LogLeaf.index)))
    log.behind(
        "DELETE FROM log_subtree",
        *(
            f"INSERT INTO log_subtree VALUES ({tier}, {index}, {blob(log, root)})"
            for tier, index, root in tree.completed
        ),
    )


def forged_without_key(log: Log) -> None:
    rewritten(log)
    forge(log, key=None)


def forged_with_stolen_key(log: Log) -> None:
    rewritten(log)
    forge(log, key=log.runtime.key_folder.signing())


def forged_with_new_key(log: Log) -> None:
    rewritten(log)
    folder = log.runtime.key_folder
    new = SigningKey.make("tiendo.test/lich-su", b"k" * 32)
    folder.private_file.write_text(new.text)
    (folder.path / "seal.pub").write_text(new.verifying.text + "\n")
    forge(log, key=new)


COPY = (
    "INSERT INTO event SELECT {new}, at, effective_on, entity, entity_id, action, plan_key, item_key, "
    "period_key, agency_key, actor_kind, actor_name, actor_post, actor_account, actor_mailbox, "
    "actor_agency, on_behalf_of, 'bịa', document, run, address, snapshot, canonical_version, digest "
    "FROM event WHERE id = {old}"
)
NEW = 900_001


def inserted(log: Log) -> None:
    log.behind(COPY.format(new=NEW, old=event_at(log, VICTIM)))
    log.behind(f"UPDATE event SET digest = {blob(log, digest_now(log, NEW))} WHERE id = {NEW}")


def inserted_as_pending(log: Log) -> None:
    inserted(log)
    log.behind(f"INSERT INTO log_pending VALUES ({NEW})")


def inserted_backdated_and_sealed(log: Log) -> None:
    log.later(24 * 60)
    log.write(1)
    seal_now(log.runtime)
    inserted_as_pending(log)
    seal_now(log.runtime)


def inserted_with_leaf(log: Log) -> None:
    inserted(log)
    size = sum(SEALS) + 1
    log.behind(f"INSERT INTO log_leaf SELECT {size}, id, digest FROM event WHERE id = {NEW}")


def deleted(log: Log) -> None:
    log.behind(f"DELETE FROM event WHERE id = {event_at(log, VICTIM)}")


def deleted_with_leaf(log: Log) -> None:
    deleted(log)
    log.behind(f'DELETE FROM log_leaf WHERE "index" = {VICTIM}')


def deleted_and_closed_up(log: Log) -> None:
    deleted_with_leaf(log)
    log.behind(
        f'UPDATE log_leaf SET "index" = -"index" WHERE "index" > {VICTIM}',
        'UPDATE log_leaf SET "index" = -"index" - 1 WHERE "index" < 0',
    )


def swapped_events(log: Log) -> None:
    a, b = event_at(log, VICTIM), event_at(log, VICTIM + 5)
    log.behind(
        f"UPDATE log_leaf SET event_id = -1 WHERE event_id = {a}",
        f"UPDATE log_leaf SET event_id = {a} WHERE event_id = {b}",
        f"UPDATE log_leaf SET event_id = {b} WHERE event_id = -1",
    )


def swapped_leaves(log: Log) -> None:
    log.behind(
        f'UPDATE log_leaf SET "index" = -1 WHERE "index" = {VICTIM}',
        f'UPDATE log_leaf SET "index" = {VICTIM} WHERE "index" = {VICTIM + 5}',
        f'UPDATE log_leaf SET "index" = {VICTIM + 5} WHERE "index" = -1',
    )


def replaced(log: Log) -> None:
    number = event_at(log, VICTIM)
    log.behind(
        COPY.format(new=NEW, old=number),
        f"DELETE FROM event WHERE id = {number}",
        f"UPDATE event SET id = {number} WHERE id = {NEW}",
    )


LAST = sum(SEALS[:2]) + 1
"""Where the third seal begins."""


def cut_tail(log: Log) -> None:
    log.behind(
        "DELETE FROM log_pending",
        f'DELETE FROM event WHERE id NOT IN (SELECT event_id FROM log_leaf WHERE "index" < {LAST})',
        f'DELETE FROM log_leaf WHERE "index" >= {LAST}',
        f"DELETE FROM checkpoint WHERE size > {LAST}",
        f'DELETE FROM log_subtree WHERE ("index" + 1) * 256 > {LAST}',
    )


def unsealed_tail(log: Log) -> None:
    log.behind(
        f'INSERT INTO log_pending SELECT event_id FROM log_leaf WHERE "index" >= {LAST}',
        f'DELETE FROM log_leaf WHERE "index" >= {LAST}',
        f"DELETE FROM checkpoint WHERE size > {LAST}",
    )


def last_checkpoint_removed(log: Log) -> None:
    log.behind(f"DELETE FROM checkpoint WHERE size > {LAST}")


def middle_checkpoint_removed(log: Log) -> None:
    log.behind(f"DELETE FROM checkpoint WHERE size = {LAST}")


def checkpoint_forged(log: Log) -> None:
    log.behind(f"UPDATE checkpoint SET root = {blob(log, b'f' * 32)} WHERE size = {LAST}")


def checkpoint_signed_by_another(log: Log) -> None:
    with log.runtime.database.read() as session:
        head = parse_note(session.get_one(Checkpoint, LAST).note).head
    note = signed(head, [SigningKey.make(head.origin, b"n" * 32)])
    log.behind(f"UPDATE checkpoint SET note = '{note}' WHERE size = {LAST}")


def clock_back(log: Log) -> None:
    log.later(-24 * 60)
    log.write(1)
    seal_now(log.runtime)


def _pending(log: Log) -> int:
    with log.runtime.database.read() as session:
        return (
            session.scalars(select(LogPending.event_id).order_by(LogPending.event_id)).first() or 0
        )


def pending_edited(log: Log) -> None:
    edit(log, _pending(log))


def pending_edited_with_digest(log: Log) -> None:
    edit_and_digest(log, _pending(log))


def pending_row_removed(log: Log) -> None:
    log.behind(f"DELETE FROM log_pending WHERE event_id = {_pending(log)}")


def pending_deleted(log: Log) -> None:
    number = _pending(log)
    log.behind(
        f"DELETE FROM log_pending WHERE event_id = {number}",
        f"DELETE FROM event WHERE id = {number}",
    )


def pending_event_deleted(log: Log) -> None:
    log.behind(f"DELETE FROM event WHERE id = {_pending(log)}")


def subtree_changed(log: Log) -> None:
    log.behind(f"UPDATE log_subtree SET root = {blob(log, b's' * 32)}")


def leaf_changed(log: Log) -> None:
    log.behind(f"""UPDATE log_leaf SET digest = {blob(log, b"l" * 32)} WHERE "index" = {VICTIM}""")


def _plain(does: Callable[[Log], object]) -> Callable[[Log], None]:
    def done(log: Log) -> None:
        does(log)

    return done


EVENT = VICTIM + 1
"""Events are numbered from 1 here."""

WAYS: tuple[Tampering, ...] = (
    Tampering(name="an event edited", does=_plain(edit), alone=Wrong.EDITED, names=EVENT),
    Tampering(
        name="an event edited, with its digest",
        does=_plain(edit_and_digest),
        alone=Wrong.REPLACED,
        names=EVENT,
    ),
    Tampering(
        name="an event edited, with its digest and its leaf",
        does=rewritten,
        alone=Wrong.REWRITTEN,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="the same, with the kept subtrees",
        does=rewritten_with_subtrees,
        alone=Wrong.REWRITTEN,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="the same, with every checkpoint, without the key",
        does=forged_without_key,
        alone=Wrong.FORGED,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="the same, with the stolen key",
        does=forged_with_stolen_key,
        alone=None,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="the same, with a new key put into the folder",
        does=forged_with_new_key,
        alone=None,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="an event replaced under its number", does=replaced, alone=Wrong.EDITED, names=EVENT
    ),
    Tampering(name="an event inserted", does=inserted, alone=Wrong.INSERTED, names=NEW),
    Tampering(
        name="an event inserted, with a leaf at the end",
        does=inserted_with_leaf,
        alone=Wrong.UNCOVERED,
        names=NEW,
    ),
    Tampering(name="an event inserted as pending", does=inserted_as_pending, alone=None),
    Tampering(
        name="the same under a time of yesterday, then sealed",
        does=inserted_backdated_and_sealed,
        alone=Remark.CLOCK,
        names=NEW,
    ),
    Tampering(name="an event deleted", does=deleted, alone=Wrong.DELETED, names=EVENT),
    Tampering(name="an event deleted, with its leaf", does=deleted_with_leaf, alone=Wrong.GAP),
    Tampering(
        name="the same, with the indexes closed up",
        does=deleted_and_closed_up,
        alone=Wrong.REWRITTEN,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="two events swapped in the log",
        does=swapped_events,
        alone=Wrong.REORDERED,
        names=EVENT + 5,
    ),
    Tampering(
        name="two leaves swapped",
        does=swapped_leaves,
        alone=Wrong.REORDERED,
        names=EVENT + 1,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="a leaf's digest changed",
        does=leaf_changed,
        alone=Wrong.LEAF,
        names=EVENT,
        outside=Wrong.OUTSIDE,
    ),
    Tampering(
        name="the tail cut: events, leaves and checkpoint",
        does=cut_tail,
        alone=None,
        outside=Wrong.CUT,
    ),
    Tampering(
        name="the tail unsealed: leaves and checkpoint gone, events pending again",
        does=unsealed_tail,
        alone=None,
        outside=Wrong.CUT,
    ),
    Tampering(
        name="the last checkpoint removed", does=last_checkpoint_removed, alone=Wrong.UNCOVERED
    ),
    Tampering(
        name="a checkpoint between others removed",
        does=middle_checkpoint_removed,
        alone=Wrong.REMOVED,
    ),
    Tampering(name="a checkpoint's root forged", does=checkpoint_forged, alone=Wrong.FORGED),
    Tampering(
        name="a checkpoint signed by another key",
        does=checkpoint_signed_by_another,
        alone=Wrong.FORGED,
    ),
    Tampering(name="the server's clock set back by a day", does=clock_back, alone=Remark.CLOCK),
    Tampering(
        name="an event edited while pending", does=pending_edited, alone=Wrong.PENDING, names=302
    ),
    Tampering(name="the same, with its digest", does=pending_edited_with_digest, alone=None),
    Tampering(
        name="an event taken off the pending list",
        does=pending_row_removed,
        alone=Wrong.INSERTED,
        names=302,
    ),
    Tampering(
        name="a pending event deleted, not its place in the list",
        does=pending_event_deleted,
        alone=Wrong.PENDING_GONE,
        names=302,
    ),
    Tampering(name="a pending event deleted, with its place", does=pending_deleted, alone=None),
    Tampering(name="a kept subtree changed", does=subtree_changed, alone=Wrong.SUBTREE),
)


def verified(log: Log, outside: list[Outside]) -> tuple[Verified, Verified]:
    """What verify says from the database and the key alone, and with what was kept outside."""
    shutil.rmtree(log.runtime.key_folder.path / "checkpoints", ignore_errors=True)
    return log.verify(), log.verify(*outside)


def told(found: Verified) -> str:
    """The first thing that verify says."""
    if found.first is not None:
        return found.first.text
    if found.remarks:
        return f"nguyên vẹn; lưu ý: {found.remarks[0].text}"
    return "nguyên vẹn"


BEGIN, END = "<!-- tampering: written by python -m tests.tampering -->", "<!-- end of tampering -->"


def table() -> str:
    """Do everything on SQLite and on PostgreSQL, and say what came out as Markdown."""
    lines = [
        "| what was done, triggers out of the way | `verify` | with a checkpoint kept outside | seen |",
        "| --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as name, postgres_server() as server:
        folder = Path(name)
        stores = (sqlite_copies(folder), postgres_copies(server))
        for place, way in enumerate(WAYS):
            answers = []
            for store, copies in enumerate(stores):
                here = folder / f"{place}-{store}"
                here.mkdir()
                with copies.one(here, migrated=True) as url, sealed_log(url, here) as log:
                    outside = lived(log)
                    way.does(log)
                    answers.append([told(one) for one in verified(log, outside)])
            if answers[0] != answers[1]:
                raise AssertionError(f"{way.name}: the databases differ: {answers}")
            alone, more = answers[0]
            seen = (
                "yes"
                if isinstance(way.alone, Wrong)
                else "outside only"
                if way.outside
                else ("a remark" if way.alone else "no")
            )
            lines.append(
                f"| {way.name} | {alone} | {'the same' if more == alone else more} | {seen} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Write the table into ``docs/reliability.md``."""
    page = Path(__file__).parents[1] / "docs" / "reliability.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
