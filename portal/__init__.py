"""FastAPI pages for people. A page reads a form, calls one operation and says what became of it;
rules stay in ``rules``. Server-rendered: nothing essential needs a script, and nothing is fetched
from another host. It knows nothing of flows.
"""
