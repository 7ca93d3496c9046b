"""The stages of a request, one file each, in order.

``read`` -> ``parse`` -> ``validate`` -> ``plan`` (these three remembered per text: ``prepare``) ->
``variables`` -> ``execute`` -> ``respond``. They know nothing of ASGI: HTTP and WebSocket share
them.
"""
