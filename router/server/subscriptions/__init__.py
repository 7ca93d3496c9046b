"""Live subscriptions of clients, whatever carries them: WebSocket, Server-Sent Events, multipart.

``hub`` runs the sources and hands their events to subscribers; ``session`` ends what a client's
credentials no longer allow; ``ending`` has the reasons why the router itself ends a subscription;
``backlog`` is the bounded queue between events and a client that takes them slowly.
"""
