"""GraphQL over WebSocket for clients: the protocol graphql-transport-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. ``messages`` reads and writes its
messages, ``outgoing`` is the bounded queue to one client, ``operation`` runs one operation,
``connection`` holds the state machine, ``endpoint`` accepts connections and closes all of them at
shutdown, ``protocol`` is what uvicorn speaks underneath.
"""
