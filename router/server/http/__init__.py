"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/), straight on ASGI.

``endpoint`` answers a request: it reads it (``body``), lets it run (``runner``) and writes the
answer with the status and media type that belong to it.
"""
