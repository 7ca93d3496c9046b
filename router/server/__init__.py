"""The router as a server: GraphQL over HTTP and WebSocket for any supergraph.

``app`` is the ASGI application, ``pipeline`` the stages a request goes through, ``websocket`` the
protocol for subscriptions, ``serving`` the processes behind a port. Nothing in the router imports
this package but the command line.
"""
