"""What the portal is measured beside: one query, one plain template, nothing else.

The same rows as the portal's pages show, by the same libraries, without session, permissions,
words or rules.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, Environment
from sqlalchemy import create_engine, text

from benchmarks.portal_fill import AGENCY
from models.engine import normalise_url

_TABLE = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1><table><thead><tr>{% for one in heads %}<th>{{ one }}</th>{% endfor %}</tr>
</thead><tbody>{% for row in rows %}<tr>{% for one in row %}<td>{{ one }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></body></html>"""

_WORK = """
SELECT o.item_key, o.period_key, a.status, a.due_on, a.respond_by, a.completed_on, a.document_code
FROM assignment a JOIN occurrence o ON o.id = a.occurrence_id
WHERE a.agency_key = :agency AND a.status {which}
ORDER BY {order} LIMIT {limit}
"""
OPEN = _WORK.format(which="<> 'confirmed'", order="a.due_on", limit=1000)
CLOSED = _WORK.format(which="= 'confirmed'", order="a.due_on DESC", limit=60)
_HISTORY = """
SELECT at, entity, action, item_key, period_key, agency_key, actor_name, document, reason, id
FROM event WHERE entity NOT IN ('letter', 'link_token', 'mailbox')
ORDER BY at DESC, id DESC LIMIT 50
"""


def create_app(url: str) -> FastAPI:
    """The pages ``/agency`` and ``/history`` over the database at ``url``."""
    app, engine = FastAPI(), create_engine(normalise_url(url))
    page = Environment(loader=DictLoader({"table": _TABLE}), autoescape=True).get_template("table")

    def show(title: str, query: str, **values: object) -> HTMLResponse:
        with engine.connect() as connection:
            found = connection.execute(text(query), values)
            heads = list(found.keys())
            return HTMLResponse(page.render(title=title, heads=heads, rows=found.all()))

    @app.get("/agency")
    def agency() -> HTMLResponse:
        union = f"SELECT * FROM ({OPEN}) x UNION ALL SELECT * FROM ({CLOSED}) y"  # noqa: S608 - constants of this file
        return show("Nhiệm vụ của cơ quan", union, agency=AGENCY)

    @app.get("/history")
    def history() -> HTMLResponse:
        return show("Lịch sử", _HISTORY)

    return app
