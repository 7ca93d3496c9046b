"""The stages of a request, one file each, in order.

``read`` -> ``parse`` -> limits (``router.server.limits.document``) -> ``validate`` -> ``plan``
(these four remembered per text: ``prepare``) -> ``variables`` -> ``execute`` -> ``respond``. They
know nothing of ASGI: HTTP and WebSocket share them.
"""
