"""Due dates as a calendar file (RFC 5545): all-day events that can change and be cancelled.

A UID names an assignment and its round for ever, so that a later file with a higher SEQUENCE
moves or cancels the event that a calendar already holds. METHOD is PUBLISH: nobody is invited,
nothing is answered.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final

from icalendar import Alarm, Event
from icalendar import Calendar as ICalendar

from notifications.formats import shorten
from notifications.values import Calendar, DueEvent, SubscribedCalendar

METHOD: Final = "PUBLISH"
_REFRESH_HOURS: Final = 6
"""How often a calendar is asked to read a subscribed one again."""
_PRODUCT: Final = "-//Tien do//Theo doi nhiem vu//VI"


def event_uid(assignment_id: str, round_: int, *, domain: str) -> str:
    """``{assignment_id}-{round}@{domain}``: the same for every change of that round's date."""
    return f"{assignment_id}-{round_}@{domain}"


def calendar_text(calendar: Calendar, *, domain: str) -> str:
    """The file's text with CRLF line ends, folded at 75 octets, the same for the same values.

    Raises ValueError when there is no event or ``stamp`` is not an aware instant.
    """
    if not calendar.events:
        raise ValueError("a calendar file needs an event")
    if calendar.stamp.tzinfo is None:
        raise ValueError("the stamp of a calendar file is an aware instant")
    file = _file()
    for due in calendar.events:
        event = _event(due, domain=domain)
        event.add("dtstamp", calendar.stamp.astimezone(UTC).replace(microsecond=0))
        file.add_component(event)
    content: bytes = file.to_ical()
    return content.decode("utf-8")


def subscribed_text(calendar: SubscribedCalendar, *, domain: str) -> str:
    """The text of a calendar that is subscribed to, the same for the same values.

    The UIDs are those of the files in letters, so that a date stands once in a calendar that has
    both. It may hold no event. Raises ValueError when an event lacks its ``changed_at``.
    """
    file = _file()
    file.add("x-wr-calname", calendar.name)
    file.add("name", calendar.name)
    file.add("x-wr-timezone", "Asia/Ho_Chi_Minh")
    file.add("refresh-interval", timedelta(hours=_REFRESH_HOURS), parameters={"value": "DURATION"})
    file.add("x-published-ttl", f"PT{_REFRESH_HOURS}H")
    for due in calendar.events:
        if due.changed_at is None:
            raise ValueError("an event of a subscribed calendar says when it changed")
        event = _event(due, domain=domain)
        moment = due.changed_at.astimezone(UTC).replace(microsecond=0)
        event.add("dtstamp", moment)
        event.add("last-modified", moment)
        file.add_component(event)
    content: bytes = file.to_ical()
    return content.decode("utf-8")


def _file() -> ICalendar:
    file = ICalendar()
    file.add("prodid", _PRODUCT)
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("method", METHOD)
    return file


def event_summary(due: DueEvent) -> str:
    """``Hạn: I.1 năm 2027 – Xã Vạn Ninh``; "Mốc dự kiến" while nobody has fixed the date."""
    if due.label:
        return f"{due.label}: {due.item} {due.period_label} – {due.agency_name}"
    label = "Mốc dự kiến" if due.provisional else "Hạn"
    label = f"Đã hủy: {label.lower()}" if due.cancelled else label
    return f"{label}: {due.item} {due.period_label} – {due.agency_name}"


def _event(due: DueEvent, *, domain: str) -> Event:
    event = Event()
    event.add("uid", event_uid(due.assignment_id, due.round, domain=domain))
    event.add("sequence", due.sequence)
    event.add("dtstart", due.due_on)
    event.add("dtend", due.due_on + timedelta(days=1))
    event.add("summary", event_summary(due))
    event.add("description", shorten(due.item_task, 500))
    event.add("status", _status(due))
    event.add("transp", "TRANSPARENT")
    if due.link:
        event.add("url", due.link)
    if due.alarm_days and not due.cancelled:
        event.add_component(_alarm(due))
    return event


def _alarm(due: DueEvent) -> Alarm:
    """Rings at 8 in the morning, ``alarm_days`` days before: the day itself begins at midnight."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event_summary(due))
    alarm.add("trigger", timedelta(hours=8) - timedelta(days=due.alarm_days))
    return alarm


def _status(due: DueEvent) -> str:
    if due.cancelled:
        return "CANCELLED"
    return "TENTATIVE" if due.provisional else "CONFIRMED"
