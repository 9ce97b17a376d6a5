"""Letters: a folder a message (`subject.txt`, `body.txt`, `body.html`), composing values into
messages and calendar files, and the one file that speaks to yagmail. It knows nothing of flows or
portal.
"""
