"""What an operation costs, estimated before it runs, as Apollo's demand control does:

    of an operation: 10 for a mutation, else 0, + the cost of its fields
    of a field: number of values x (weight + cost of the fields below) + cost of its arguments

``model`` knows the weights and sizes of a schema, ``estimate`` compiles an operation once into a
function of its variables, ``inputs`` does so for arguments.
``control`` is what requests meet.
"""
