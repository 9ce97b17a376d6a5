"""The same operations as JSON under ``/api/v1``, for programs that hold a token.

``door`` lets them in, ``problems`` says what is wrong (RFC 9457), ``taken`` and ``shapes`` are
what goes in and comes out, ``openapi`` describes it all. No cookie opens anything here, so no
other site can have a browser act; and a token opens no page.
"""
