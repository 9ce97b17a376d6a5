"""Who a name means on a day: agencies, groups and successions (rules 11, 12, 14, 35, 36)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

from rules.values import Agency, Group, Item, LeadMode, PartySpan, Succession


class DirectoryError(Exception):
    """The agencies, groups and successions do not fit together."""


class UnknownAgency(DirectoryError, KeyError):
    """``ref`` names no agency, or no group when it begins with ``@``."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(f"{ref!r} is neither an agency nor a group of this directory")

    def __str__(self) -> str:
        return str(self.args[0])


class DuplicateKey(DirectoryError):
    """Two agencies, or two groups, have the same ``key``."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"{key!r} is defined twice; each agency and each group needs its own key")


class GroupCircle(DirectoryError):
    """A group contains itself; ``path`` goes round once and ends where it began."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__(f"groups contain each other in a circle: {' > '.join(path)}")


class SuccessionCircle(DirectoryError):
    """An agency succeeds itself; ``path`` goes round once and ends where it began."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__(
            f"agencies succeed each other in a circle: {' > '.join(path)}; "
            "an agency that comes back needs a new key"
        )


def find_circle(arrows: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """The first circle that these arrows make, ending where it began; None when there is none."""
    done: set[str] = set()
    for start in arrows:
        path: list[str] = []
        stack: list[Iterator[str]] = [iter((start,))]
        while stack:
            key = next(stack[-1], None)
            if key is None:
                stack.pop()
                if path:
                    done.add(path.pop())
            elif key in path:
                return (*path[path.index(key) :], key)
            elif key not in done:
                path.append(key)
                stack.append(iter(arrows.get(key, ())))
    return None


def group_arrows(groups: Iterable[Group]) -> dict[str, tuple[str, ...]]:
    """Which group names which groups, ready for ``find_circle``."""
    return {
        g.key: tuple(m.ref.removeprefix("@") for m in g.members if m.ref.startswith("@"))
        for g in groups
    }


def succession_arrows(successions: Iterable[Succession]) -> dict[str, list[str]]:
    """Which agency is followed by which, ready for ``find_circle``."""
    arrows: dict[str, list[str]] = {}
    for s in successions:
        if s.successor is not None:
            arrows.setdefault(s.predecessor, []).append(s.successor)
    return arrows


class Directory:
    """Agencies, groups and successions, checked against each other once.

    Raises ``DuplicateKey``, ``UnknownAgency``, ``GroupCircle`` or ``SuccessionCircle``. Orders
    are kept: a group resolves in the order of its members.
    """

    __slots__ = ("_agencies", "_groups", "_silent", "_silent_by_day", "_successions")

    def __init__(
        self,
        *,
        agencies: Iterable[Agency],
        groups: Iterable[Group] = (),
        successions: Iterable[Succession] = (),
    ) -> None:
        self._agencies = _by_key(agencies)
        self._groups = _by_key(groups)
        self._successions = tuple(
            sorted(successions, key=lambda s: (s.effective_on, s.predecessor, s.successor or ""))
        )
        self._silent = tuple(g.key for g in self._groups.values() if not g.letters)
        self._silent_by_day: dict[date, frozenset[str]] = {}
        self._check()

    @property
    def agencies(self) -> tuple[Agency, ...]:
        """Every agency, in the order given."""
        return tuple(self._agencies.values())

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group, in the order given."""
        return tuple(self._groups.values())

    @property
    def successions(self) -> tuple[Succession, ...]:
        """Every succession, by day, predecessor and successor."""
        return self._successions

    def agency(self, key: str) -> Agency:
        """The agency with this key; ``UnknownAgency`` when there is none."""
        try:
            return self._agencies[key]
        except KeyError:
            raise UnknownAgency(key) from None

    def group(self, key: str) -> Group:
        """The group with this key, written with or without ``@``; else ``UnknownAgency``."""
        name = key.removeprefix("@")
        try:
            return self._groups[name]
        except KeyError:
            raise UnknownAgency(f"@{name}") from None

    def valid_on(self, day: date) -> tuple[Agency, ...]:
        """The agencies that exist on ``day``."""
        return tuple(a for a in self._agencies.values() if a.valid_on(day))

    def resolve(
        self, refs: Iterable[str], on: date, *, item_key: str | None = None
    ) -> tuple[str, ...]:
        """The agencies that ``refs`` mean on a day, each once, in the order of the references.

        An agency that is named itself and no longer exists stands for its successors; one that
        only a group names is dropped, for a group says which agencies there are.
        """
        found: dict[str, None] = {}
        for ref in refs:
            keys = self._members(ref, on) if ref.startswith("@") else self.follow(ref, on, item_key)
            found.update(dict.fromkeys(keys))
        return tuple(found)

    def successors_of(self, key: str, on: date) -> tuple[Succession, ...]:
        """The successions of this agency that have taken effect by ``on``, those to nobody too."""
        self.agency(key)
        return tuple(s for s in self._successions if s.predecessor == key and s.effective_on <= on)

    def follow(self, key: str, on: date, item_key: str | None = None) -> tuple[str, ...]:
        """The agency itself while it exists, else whoever has taken its place by then.

        With ``item_key``, a successor that was given this item goes before those that were given
        everything. Empty when the agency ended without a successor or does not exist yet.
        """
        if self.agency(key).valid_on(on):
            return (key,)
        entries = self.successors_of(key, on)
        if item_key is not None:
            named = tuple(s for s in entries if item_key in s.items)
            entries = named or tuple(s for s in entries if not s.items)
        found: dict[str, None] = {}
        for entry in entries:
            if entry.successor is not None:
                found.update(dict.fromkeys(self.follow(entry.successor, on, item_key)))
        return tuple(found)

    def successions_between(self, after: date, until: date) -> tuple[Succession, ...]:
        """The successions that take effect later than ``after`` and not later than ``until``."""
        return tuple(s for s in self._successions if after < s.effective_on <= until)

    def letters_on(self, key: str, on: date) -> bool:
        """Whether the agency gets automatic letters on that day (rule 36)."""
        return self.agency(key).letters and key not in self._silent_on(on)

    def _silent_on(self, on: date) -> frozenset[str]:
        """The agencies of the groups without letters; asked for of every agency on few days."""
        found = self._silent_by_day.get(on)
        if found is None:
            found = frozenset(key for group in self._silent for key in self._members(group, on))
            self._silent_by_day[on] = found
        return found

    def _members(self, ref: str, on: date) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for member in self.group(ref).members:
            if not member.valid_on(on):
                continue
            if member.ref.startswith("@"):
                found.update(dict.fromkeys(self._members(member.ref, on)))
            elif self.agency(member.ref).valid_on(on):
                found[member.ref] = None
        return tuple(found)

    def _check(self) -> None:
        for group in self._groups.values():
            for member in group.members:
                if member.ref.startswith("@"):
                    self.group(member.ref)
                else:
                    self.agency(member.ref)
        for entry in self._successions:
            self.agency(entry.predecessor)
            if entry.successor is not None:
                self.agency(entry.successor)
        if circle := find_circle(group_arrows(self._groups.values())):
            raise GroupCircle(circle)
        if circle := find_circle(succession_arrows(self._successions)):
            raise SuccessionCircle(circle)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Directory):
            return NotImplemented
        return (self.agencies, self.groups, self.successions) == (
            other.agencies,
            other.groups,
            other.successions,
        )

    def __hash__(self) -> int:
        return hash((self.agencies, self.groups, self.successions))

    def __repr__(self) -> str:
        sizes = len(self._agencies), len(self._groups), len(self._successions)
        return "Directory(agencies={}, groups={}, successions={})".format(*sizes)


def parties_on(
    item: Item, directory: Directory, on: date
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The leads and the partners of an item on a day, as agency keys.

    A lead is never its own partner (rule 14). Where every agency leads its own work, one that
    also leads stays a partner of the others', unless nobody else leads.
    """
    leads = directory.resolve(_refs_on(item.parties.leads, on), on, item_key=item.key)
    partners = directory.resolve(_refs_on(item.parties.partners, on), on, item_key=item.key)
    if item.parties.lead_mode is LeadMode.EACH:
        return leads, tuple(key for key in partners if leads != (key,))
    return leads, tuple(key for key in partners if key not in leads)


def _refs_on(spans: Sequence[PartySpan], on: date) -> tuple[str, ...]:
    return tuple(ref for span in spans if span.valid_on(on) for ref in span.refs)


_Keyed = TypeVar("_Keyed", Agency, Group)


def _by_key(values: Iterable[_Keyed]) -> dict[str, _Keyed]:
    known: dict[str, _Keyed] = {}
    for value in values:
        if value.key in known:
            raise DuplicateKey(value.key)
        known[value.key] = value
    return known
