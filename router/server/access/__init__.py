"""Who is asking, and what they may see.

Read in this order. Authentication: ``token`` finds the access token in a request, ``keys`` and
``jwks`` hold what it is checked with, ``verifier`` checks it, ``authenticator`` makes an
``Identity`` of it. Authorization by ``@authenticated``, ``@requiresScopes`` and ``@policy``:
``rules`` knows what each field asks, ``guards`` finds what an operation touches, ``filtering``
leaves out what a caller may not see, ``operation`` keeps the variants of an operation, ``policies``
decides about policies, and ``gate`` puts them together for a request.
"""
