"""Who may open which page: one table, walked by a test with every route and every visitor.

What a visitor may *do* on a page with one piece of work stands in ``rules.lifecycle``; this table
only opens doors. A route that is not in it cannot be served: the application refuses to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from operations.api_tokens import Scope
from rules.actors import AccountRole


class Visitor(StrEnum):
    """Who stands at the door."""

    ANYBODY = "anybody"
    """Nobody that we know."""
    LINK = "link"
    """Whoever holds a link of a letter that still holds (rule 34)."""
    AGENCY = "agency"
    COORDINATOR = "coordinator"
    LEADERSHIP = "leadership"
    ADMIN = "admin"
    AUDITOR = "auditor"
    TOKEN_AGENCY = "token_agency"  # noqa: S105 - a word
    """A program of an agency, by its token: the API only, and the agency's own work only."""
    TOKEN_SERVICE = "token_service"  # noqa: S105 - a word
    """A program that reads everything, by its token: the API only."""


_OF_ROLE: Final[Mapping[AccountRole, Visitor]] = {
    AccountRole.AGENCY: Visitor.AGENCY,
    AccountRole.COORDINATOR: Visitor.COORDINATOR,
    AccountRole.LEADERSHIP: Visitor.LEADERSHIP,
    AccountRole.ADMIN: Visitor.ADMIN,
    AccountRole.AUDITOR: Visitor.AUDITOR,
}

ALL: Final = frozenset(Visitor)
ACCOUNTS: Final = frozenset(_OF_ROLE.values())
READS_ALL: Final = frozenset(
    {Visitor.COORDINATOR, Visitor.LEADERSHIP, Visitor.ADMIN, Visitor.AUDITOR}
)
ADMINS: Final = frozenset({Visitor.ADMIN})
RUNS_IT: Final = frozenset({Visitor.COORDINATOR, Visitor.ADMIN})
DECIDES: Final = frozenset({Visitor.COORDINATOR, Visitor.LEADERSHIP})
APPROVES: Final = frozenset({Visitor.LEADERSHIP})
"""The second of two steps (rule 20)."""
POLICIES: Final = frozenset({Visitor.LEADERSHIP, Visitor.ADMIN})
"""Change the policies of a plan (rule 20)."""
OWN_WORK: Final = frozenset({Visitor.AGENCY, Visitor.COORDINATOR})
"""Accounts that stand for an agency of their own."""
BY_LINK: Final = frozenset({Visitor.LINK})
BY_TOKEN: Final = frozenset({Visitor.TOKEN_AGENCY, Visitor.TOKEN_SERVICE})
BY_AGENCY_TOKEN: Final = frozenset({Visitor.TOKEN_AGENCY})
BY_SERVICE_TOKEN: Final = frozenset({Visitor.TOKEN_SERVICE})

_PAGES: Final[Mapping[str, frozenset[Visitor]]] = {
    "health": ALL,
    "metrics": ALL,  # by a token of the settings; nobody where none is set
    "static": ALL,
    "home": ALL,
    # How to use it all.
    "guidance": ALL,
    "guidance_page": ALL,
    "guidance_picture": ALL,
    "login_form": ALL,
    "login": ALL,
    "login_code_form": ALL,
    "login_code": ALL,
    "sign_on": ALL,
    "sign_on_return": ALL,
    "logout": ACCOUNTS,
    "choose_plan": ACCOUNTS,
    # One-time links to the door; the pages check the link themselves.
    "first_account_form": ALL,
    "first_account": ALL,
    "new_password_form": ALL,
    "new_password": ALL,
    # One's own account, whatever the role.
    "own_account": ACCOUNTS,
    "own_account_act": ACCOUNTS,
    "own_codes": ACCOUNTS,
    "own_codes_picture": ACCOUNTS,
    # The page behind a letter's link, for its mailbox and its agency only.
    "link_list": BY_LINK,
    "link_work": BY_LINK,
    "link_act": BY_LINK,
    "link_recorded": BY_LINK,
    "link_file": BY_LINK,
    # Whoever still has the letter may ask for a fresh link, which goes to the same mailbox.
    "link_again": ALL,
    # The same pages by account, for one's own agency only.
    "agency_list": OWN_WORK,
    "agency_work": OWN_WORK,
    "agency_act": OWN_WORK,
    "agency_recorded": OWN_WORK,
    "agency_file": OWN_WORK,
    # An agency's dates in calendars: the secret address is the permission.
    "calendar_feed": ALL,
    "agency_calendar_renew": OWN_WORK,
    "agency_calendar_file": OWN_WORK,
    "link_calendar_file": BY_LINK,
    # An agency's own contacts, and what it asks of the partners of work that it leads.
    "agency_contacts": OWN_WORK,
    "agency_contacts_act": OWN_WORK,
    "link_contacts": BY_LINK,
    "link_contacts_act": BY_LINK,
    # Findings of inspections about an agency itself, and what it reports on them (rule 45).
    "agency_findings": OWN_WORK,
    "agency_findings_act": OWN_WORK,
    "agency_findings_file": OWN_WORK,
    "link_findings": BY_LINK,
    "link_findings_act": BY_LINK,
    "link_findings_file": BY_LINK,
    "agency_requests": OWN_WORK,
    "agency_requests_act": OWN_WORK,
    "link_requests": BY_LINK,
    "link_requests_act": BY_LINK,
    # Everybody's work.
    "work": READS_ALL,
    "work_act": DECIDES,
    "work_recorded": DECIDES,
    "work_file": READS_ALL,
    # The runs of the engine.
    "runs": READS_ALL,
    "runs_all": READS_ALL,
    "run": READS_ALL,
    "run_now": RUNS_IT,
    # The history, and what those who check look into.
    "history": READS_ALL,
    "known_at": READS_ALL,
    "audit": READS_ALL,
    "exceptions": READS_ALL,
    "authority": READS_ALL,
    "basis_export": READS_ALL,
    "sample": READS_ALL,
    "reading": READS_ALL,
    # The history's log: how it stands, verifying it, what auditors take away.
    "verifying": READS_ALL,
    "verify_now": READS_ALL,
    "checkpoint_file": READS_ALL,
    "seal_keys": READS_ALL,
    "event_proof": READS_ALL,
    "event_proof_file": READS_ALL,
    "findings": READS_ALL,
    "finding_record": DECIDES,
    "finding_act": DECIDES,
    "finding_file": READS_ALL,
    # Letters: what was sent, what is held, what would be.
    "letters": READS_ALL,
    "letters_release": DECIDES,
    "letters_close": DECIDES,
    "letter_proofs": READS_ALL,
    "letter_rehearsal": READS_ALL,
    "letter_pilots": READS_ALL,
    "letter_pilots_act": DECIDES,
    "letter_stored": READS_ALL,
    "letter_stored_body": READS_ALL,
    "letter_act": DECIDES,
    # What waits for decisions, and the other desks of those who coordinate.
    "queue_results": READS_ALL,
    "queue_extensions": READS_ALL,
    "queue_obstacles": READS_ALL,
    "queue_proposals": READS_ALL,
    "queue_act": DECIDES,
    "obstacles_consolidate": DECIDES,
    "obstacles_answer_all": DECIDES,
    "obstacle_act": DECIDES,
    "proposal_act": APPROVES,
    "extension_approve": APPROVES,
    "year_dates": DECIDES,
    "year_dates_preview": DECIDES,
    "year_dates_fix": DECIDES,
    # The catalog: agencies and their contacts, days off, accounts.
    "catalog": READS_ALL,
    "agencies": READS_ALL,
    "agency_entry": READS_ALL,
    "contact_file": RUNS_IT,
    "contact_file_template": RUNS_IT,
    "contact_file_preview": RUNS_IT,
    "contact_file_apply": RUNS_IT,
    "reorganisations": READS_ALL,
    "reorganisation_form": DECIDES,
    "reorganisation_preview": DECIDES,
    "reorganisation_file": DECIDES,
    "reorganisation_apply": DECIDES,
    "reorganisation_keep": DECIDES,
    "import_file": RUNS_IT,
    "import_file_template": RUNS_IT,
    "import_file_preview": RUNS_IT,
    "import_file_apply": RUNS_IT,
    "groups": READS_ALL,
    "group": READS_ALL,
    "group_act": DECIDES,
    "agency_entry_act": RUNS_IT | DECIDES,
    "item_calendar": READS_ALL,
    "open_home": ALL,
    "open_schema": ALL,
    "open_json": ALL,
    "open_atom": ALL,
    "open_rss": ALL,
    "open_data": READS_ALL,
    "open_data_act": DECIDES,
    "calendar_edit": DECIDES,
    "calendar_edit_act": DECIDES,
    "outlets": READS_ALL,
    "outlet": READS_ALL,
    "outlet_add": DECIDES,
    "outlet_act": DECIDES,
    "policies": READS_ALL,
    "policy_act": POLICIES,
    "days": READS_ALL,
    "days_act": DECIDES,
    "accounts": ADMINS,
    "accounts_add": ADMINS,
    "account": ADMINS,
    "account_act": ADMINS,
    "api_tokens": ADMINS,
    "api_tokens_add": ADMINS,
    "api_token_revoke": ADMINS,
    # Everybody's standing, as figures, lists and files.
    "items": READS_ALL,
    # Work outside the appendix (rule 44).
    "turn": READS_ALL,
    "turn_act": DECIDES,
    "added": READS_ALL,
    "added_preview": DECIDES,
    "added_give": DECIDES,
    "added_one": READS_ALL,
    "added_act": DECIDES,
    "targets": READS_ALL,
    "money": READS_ALL,
    "agency_targets": OWN_WORK,
    "item": READS_ALL,
    "heat_map": READS_ALL,
    # Official documents: drawn up by all who read everything, recorded by those who decide.
    "documents": READS_ALL,
    "document_file": READS_ALL,
    "task_dossier": READS_ALL,
    "milestone_dossier": READS_ALL,
    "urging_record": DECIDES,
    "urging_withdraw": DECIDES,
    "briefing": READS_ALL,
    "table": READS_ALL,
    "bulk": DECIDES,
    "bulk_confirm": DECIDES,
    "entering": DECIDES,
    "entering_one": DECIDES,
    "entering_act": DECIDES,
    "requests": DECIDES,
    "requests_one": DECIDES,
    "requests_act": DECIDES,
    # The API: what it offers is told to everybody, the rest asks for a token.
    "v1_docs": ALL,
    "v1_openapi": ALL,
    "v1_me": BY_TOKEN,
    "v1_plans": BY_TOKEN,
    "v1_items": BY_TOKEN,
    "v1_item": BY_TOKEN,
    "v1_agencies": BY_TOKEN,
    "v1_occurrences": BY_TOKEN,
    "v1_assignments": BY_TOKEN,
    "v1_assignment": BY_TOKEN,
    "v1_findings": BY_TOKEN,
    "v1_summary": BY_TOKEN,
    "v1_file": BY_TOKEN,
    "v1_events": BY_SERVICE_TOKEN,
    "v1_act": BY_AGENCY_TOKEN,
    "v1_extensions": BY_AGENCY_TOKEN,
    "v1_obstacles": BY_AGENCY_TOKEN,
    "v1_files": BY_AGENCY_TOKEN,
    # The local mailbox: of a trial for everybody, else for those who run the system.
    "mailbox": ALL,
    "letter": ALL,
    "letter_body": ALL,
    "letter_file": ALL,
}

FILES: Final = (
    *("link_list", "agency_list", "link_findings", "agency_findings"),
    *("runs", "runs_all", "letters", "letter_proofs", "letter_rehearsal", "letter_pilots"),
    *("queue_results", "queue_extensions", "queue_obstacles", "queue_proposals"),
    *("agencies", "reorganisations", "groups", "days", "accounts", "findings"),
    *("added", "entering", "requests"),
    *("history", "known_at", "exceptions", "authority", "sample", "reading"),
    *("table", "targets", "money"),
)
"""The pages with a list that can be taken as a file, by whoever may open the page."""

TABLE: Final = {**_PAGES, **{f"{page}_export": _PAGES[page] for page in FILES}}
"""Route name to those who may open it."""

EVERY_PLAN: Final = frozenset(
    {
        *("letters_release", "letters_close", "letter_rehearsal", "letter_pilots"),
        *("letter_pilots_act", "run_now"),
        *("contact_file", "contact_file_template", "contact_file_preview", "contact_file_apply"),
        *("import_file", "import_file_template", "import_file_preview", "import_file_apply"),
        *("reorganisations", "reorganisation_form", "reorganisation_preview"),
        *("reorganisation_file", "reorganisation_apply", "reorganisation_keep"),
        *("group_act", "days_act", "open_data_act", "reading"),
        *("outlets", "outlet", "outlet_add", "outlet_act"),
        *("accounts", "accounts_add", "account", "account_act"),
        *("api_tokens", "api_tokens_add", "api_token_revoke"),
        *("verifying", "verify_now", "checkpoint_file", "seal_keys"),
        *("mailbox", "letter", "letter_body", "letter_file"),
        *("letter_rehearsal_export", "letter_pilots_export", "reorganisations_export"),
        *("reading_export", "accounts_export"),
    }
)
"""What is about every plan at once, where a database holds several: closed to accounts that see
some plans only, and never narrowed to the one that somebody looks at just now."""
SHARED_WRITES: Final = frozenset({"agency_contacts_act", "agency_entry_act"})
"""What changes something that all plans share, such as who an agency's focal point is."""

API_SCOPES: Final[Mapping[str, Scope]] = {
    route: Scope.ACT
    if who == BY_AGENCY_TOKEN
    else Scope.EVENTS
    if who == BY_SERVICE_TOKEN
    else Scope.READ
    for route, who in TABLE.items()
    if who <= BY_TOKEN
}
"""Every route that asks for a token, and the scope that the token needs."""

MAILBOX_WHEN_LIVE: Final = frozenset({Visitor.COORDINATOR, Visitor.ADMIN})
"""Who may read the local mailbox of a database that is no trial: its letters hold live links."""
MAILBOX_ROUTES: Final = frozenset({"mailbox", "letter", "letter_body", "letter_file"})


OPEN_TO_UNREADY: Final = frozenset(
    {"own_account", "own_account_act", "own_codes", "own_codes_picture", "logout"}
)
"""What an account may open whose password is too short to stand without a one-time code."""


def visitor_of(role: AccountRole) -> Visitor:
    """As whom somebody with an account of this role comes."""
    return _OF_ROLE[role]


def may_open(route: str, visitor: Visitor, *, trial: bool) -> bool:
    """Whether ``visitor`` may open the route with this name.

    Raises:
        KeyError: the route is not in the table.
    """
    if route in MAILBOX_ROUTES and not trial:
        return visitor in MAILBOX_WHEN_LIVE
    return visitor in TABLE[route]
