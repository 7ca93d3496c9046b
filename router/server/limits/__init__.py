"""What a request may ask for: its size, its cost, and how often.

``document`` measures a document before validation, ``inputs`` the values that come with it.
"""
