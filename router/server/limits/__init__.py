"""What a request may ask for: its size, its cost, and how often.

``document`` measures a document before validation, ``inputs`` the values that come with it,
``cost`` estimates what the operation will cost. ``addresses`` tells who asks, ``rates`` how often
they may, ``connections`` counts what they keep open.
"""
