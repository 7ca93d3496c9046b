"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/), straight on ASGI.

``endpoint`` answers a request: it reads it (``body``, ``batch``, ``form``), lets it run
(``runner``) and writes the answer with the status, media type and coding (``compression``) that
belong to it. A subscription is answered event by event (``streams``, ``subscription_stream``), in
one of two forms (``stream_format``).
"""
