"""The Federation specifications as data: where the router asks "what does the spec say?".

Composition, the supergraph model and the planner read from it: versions, ``@link`` resolution,
directive definitions per version, the join spec, field sets and the catalogue of codes.
"""
