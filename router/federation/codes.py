"""The catalogue of composition error codes.

The codes are Apollo's public ones, so that a message can be looked up; the descriptions are ours.
Four codes at the end are our own, for reading the composition's input, where Apollo has none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["ErrorCode"]


class ErrorCode(StrEnum):
    """Why subgraphs do not compose. ``description`` is one line for people."""

    description: str

    def __new__(cls, code: str, description: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    # A subgraph on its own: syntax, links, definitions
    INVALID_GRAPHQL = "INVALID_GRAPHQL", "The SDL breaks a rule of the GraphQL specification."
    INVALID_SUBGRAPH_NAME = "INVALID_SUBGRAPH_NAME", "The subgraph's name cannot be used."
    UNSUPPORTED_FEATURE = "UNSUPPORTED_FEATURE", "The schema uses a feature that is not supported."
    UNSUPPORTED_LINKED_FEATURE = (
        "UNSUPPORTED_LINKED_FEATURE",
        "A linked feature is not supported, or not with these options.",
    )
    UNKNOWN_FEDERATION_LINK_VERSION = (
        "UNKNOWN_FEDERATION_LINK_VERSION",
        "The linked version of the federation specification is unknown.",
    )
    UNKNOWN_LINK_VERSION = (
        "UNKNOWN_LINK_VERSION",
        "The version of the link specification is unknown.",
    )
    INVALID_LINK_DIRECTIVE_USAGE = (
        "INVALID_LINK_DIRECTIVE_USAGE",
        "A @link application breaks the link specification.",
    )
    INVALID_LINK_IDENTIFIER = "INVALID_LINK_IDENTIFIER", "The url of a @link is not valid."
    LINK_IMPORT_NAME_MISMATCH = (
        "LINK_IMPORT_NAME_MISMATCH",
        "Subgraphs import a merged directive under different names.",
    )
    DIRECTIVE_DEFINITION_INVALID = (
        "DIRECTIVE_DEFINITION_INVALID",
        "The schema defines a built-in or federation directive differently from its specification.",
    )
    TYPE_DEFINITION_INVALID = (
        "TYPE_DEFINITION_INVALID",
        "The schema defines a built-in or federation type differently from its specification.",
    )
    ROOT_QUERY_USED = (
        "ROOT_QUERY_USED",
        'A type is named "Query" although the query root is another type.',
    )
    ROOT_MUTATION_USED = (
        "ROOT_MUTATION_USED",
        'A type is named "Mutation" although the mutation root is another type.',
    )
    ROOT_SUBSCRIPTION_USED = (
        "ROOT_SUBSCRIPTION_USED",
        'A type is named "Subscription" although the subscription root is another type.',
    )

    # Field sets
    KEY_INVALID_FIELDS = "KEY_INVALID_FIELDS", "The fields of a @key are not a valid selection."
    PROVIDES_INVALID_FIELDS = (
        "PROVIDES_INVALID_FIELDS",
        "The fields of a @provides are not a valid selection.",
    )
    REQUIRES_INVALID_FIELDS = (
        "REQUIRES_INVALID_FIELDS",
        "The fields of a @requires are not a valid selection.",
    )
    KEY_INVALID_FIELDS_TYPE = "KEY_INVALID_FIELDS_TYPE", "The fields of a @key are not a string."
    PROVIDES_INVALID_FIELDS_TYPE = (
        "PROVIDES_INVALID_FIELDS_TYPE",
        "The fields of a @provides are not a string.",
    )
    REQUIRES_INVALID_FIELDS_TYPE = (
        "REQUIRES_INVALID_FIELDS_TYPE",
        "The fields of a @requires are not a string.",
    )
    KEY_FIELDS_HAS_ARGS = "KEY_FIELDS_HAS_ARGS", "A @key selects a field that takes arguments."
    PROVIDES_FIELDS_HAS_ARGS = (
        "PROVIDES_FIELDS_HAS_ARGS",
        "A @provides selects a field that takes arguments.",
    )
    KEY_FIELDS_SELECT_INVALID_TYPE = (
        "KEY_FIELDS_SELECT_INVALID_TYPE",
        "A @key selects a field of a list, interface or union type.",
    )
    KEY_DIRECTIVE_IN_FIELDS_ARG = (
        "KEY_DIRECTIVE_IN_FIELDS_ARG",
        "The fields of a @key carry a directive.",
    )
    PROVIDES_DIRECTIVE_IN_FIELDS_ARG = (
        "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
        "The fields of a @provides carry a directive.",
    )
    REQUIRES_DIRECTIVE_IN_FIELDS_ARG = (
        "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
        "The fields of a @requires carry a directive.",
    )
    PROVIDES_FIELDS_MISSING_EXTERNAL = (
        "PROVIDES_FIELDS_MISSING_EXTERNAL",
        "A @provides selects a field that is not external.",
    )
    REQUIRES_FIELDS_MISSING_EXTERNAL = (
        "REQUIRES_FIELDS_MISSING_EXTERNAL",
        "A @requires selects a field that is not external.",
    )
    PROVIDES_ON_NON_OBJECT_FIELD = (
        "PROVIDES_ON_NON_OBJECT_FIELD",
        "A @provides stands on a field that returns no composite type.",
    )
    KEY_UNSUPPORTED_ON_INTERFACE = (
        "KEY_UNSUPPORTED_ON_INTERFACE",
        "A @key stands on an interface, which needs federation 2.3.",
    )
    PROVIDES_UNSUPPORTED_ON_INTERFACE = (
        "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        "A @provides stands on an interface's field.",
    )
    REQUIRES_UNSUPPORTED_ON_INTERFACE = (
        "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        "A @requires stands on an interface's field.",
    )

    # @external
    EXTERNAL_UNUSED = (
        "EXTERNAL_UNUSED",
        "An external field is used by no @key, @requires, @provides or interface.",
    )
    EXTERNAL_ON_INTERFACE = "EXTERNAL_ON_INTERFACE", "An interface's field is marked external."
    EXTERNAL_MISSING_ON_BASE = (
        "EXTERNAL_MISSING_ON_BASE",
        "A field is external wherever it is declared.",
    )
    EXTERNAL_TYPE_MISMATCH = (
        "EXTERNAL_TYPE_MISMATCH",
        "An external field's type is incompatible with the real field's.",
    )
    EXTERNAL_ARGUMENT_MISSING = (
        "EXTERNAL_ARGUMENT_MISSING",
        "An external field lacks an argument of the real field.",
    )
    EXTERNAL_ARGUMENT_TYPE_MISMATCH = (
        "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        "An external field's argument has another type than the real field's.",
    )
    EXTERNAL_ARGUMENT_DEFAULT_MISMATCH = (
        "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        "An external field's argument has another default than the real field's.",
    )
    EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE = (
        "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
        "A field is external and carries a directive that contradicts it.",
    )
    MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL = (
        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
        "An external field carries a directive that would be merged.",
    )
    TYPE_WITH_ONLY_UNUSED_EXTERNAL = (
        "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        "All fields of a Federation 1 type are unused external fields.",
    )

    # Types and fields together
    NO_QUERIES = "NO_QUERIES", "No subgraph has a query."
    TYPE_KIND_MISMATCH = "TYPE_KIND_MISMATCH", "A type has different kinds in different subgraphs."
    EXTENSION_WITH_NO_BASE = (
        "EXTENSION_WITH_NO_BASE",
        "A type is extended that no subgraph defines.",
    )
    FIELD_TYPE_MISMATCH = (
        "FIELD_TYPE_MISMATCH",
        "A field has incompatible types in different subgraphs.",
    )
    FIELD_ARGUMENT_TYPE_MISMATCH = (
        "FIELD_ARGUMENT_TYPE_MISMATCH",
        "An argument has incompatible types in different subgraphs.",
    )
    FIELD_ARGUMENT_DEFAULT_MISMATCH = (
        "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        "An argument has different defaults in different subgraphs.",
    )
    INPUT_FIELD_DEFAULT_MISMATCH = (
        "INPUT_FIELD_DEFAULT_MISMATCH",
        "An input field has different defaults in different subgraphs.",
    )
    REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH = (
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        "An argument is required in one subgraph and missing in another.",
    )
    REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH = (
        "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        "An input field is required in one subgraph and missing in another.",
    )
    EMPTY_MERGED_INPUT_TYPE = (
        "EMPTY_MERGED_INPUT_TYPE",
        "The subgraphs have no field of an input type in common.",
    )
    ENUM_VALUE_MISMATCH = (
        "ENUM_VALUE_MISMATCH",
        "An enum that is both input and output has different values in different subgraphs.",
    )
    EMPTY_MERGED_ENUM_TYPE = (
        "EMPTY_MERGED_ENUM_TYPE",
        "The subgraphs have no value of an input enum in common.",
    )
    INTERFACE_FIELD_NO_IMPLEM = (
        "INTERFACE_FIELD_NO_IMPLEM",
        "After merging, a type lacks a field of an interface that it implements.",
    )
    INVALID_FIELD_SHARING = (
        "INVALID_FIELD_SHARING",
        "Several subgraphs resolve a field that is not shareable in all of them.",
    )
    INVALID_SHAREABLE_USAGE = "INVALID_SHAREABLE_USAGE", "@shareable stands where it means nothing."
    SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES = (
        "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
        "A shared field can return no runtime type that all its subgraphs know.",
    )
    SATISFIABILITY_ERROR = (
        "SATISFIABILITY_ERROR",
        "Some query of the merged schema could not be planned.",
    )
    MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED = (
        "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
        "The satisfiability check looked at more paths than it may.",
    )

    # @override
    OVERRIDE_FROM_SELF_ERROR = "OVERRIDE_FROM_SELF_ERROR", "A field overrides itself."
    OVERRIDE_SOURCE_HAS_OVERRIDE = (
        "OVERRIDE_SOURCE_HAS_OVERRIDE",
        "An overridden field is itself marked @override.",
    )
    OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE = (
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        "@override meets @external, @provides or @requires.",
    )
    OVERRIDE_ON_INTERFACE = "OVERRIDE_ON_INTERFACE", "@override stands on an interface's field."
    OVERRIDE_LABEL_INVALID = "OVERRIDE_LABEL_INVALID", "The label of an @override is not valid."

    # @interfaceObject and entity interfaces
    INTERFACE_OBJECT_USAGE_ERROR = (
        "INTERFACE_OBJECT_USAGE_ERROR",
        "@interfaceObject is not used as its specification asks.",
    )
    INTERFACE_KEY_NOT_ON_IMPLEMENTATION = (
        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        "An implementation lacks a @key of its entity interface.",
    )
    INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE = (
        "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        "A subgraph with an entity interface lacks one of its implementations.",
    )

    # @inaccessible
    REFERENCED_INACCESSIBLE = (
        "REFERENCED_INACCESSIBLE",
        "A visible element refers to an inaccessible one.",
    )
    DEFAULT_VALUE_USES_INACCESSIBLE = (
        "DEFAULT_VALUE_USES_INACCESSIBLE",
        "A visible default value uses an inaccessible element.",
    )
    QUERY_ROOT_TYPE_INACCESSIBLE = (
        "QUERY_ROOT_TYPE_INACCESSIBLE",
        "The query root type is inaccessible.",
    )
    REQUIRED_INACCESSIBLE = (
        "REQUIRED_INACCESSIBLE",
        "An inaccessible input is required by a visible element.",
    )
    IMPLEMENTED_BY_INACCESSIBLE = (
        "IMPLEMENTED_BY_INACCESSIBLE",
        "An inaccessible element implements a visible one.",
    )
    DISALLOWED_INACCESSIBLE = (
        "DISALLOWED_INACCESSIBLE",
        "An element is inaccessible that must not be.",
    )
    ONLY_INACCESSIBLE_CHILDREN = (
        "ONLY_INACCESSIBLE_CHILDREN",
        "A visible type has inaccessible children only.",
    )

    # Other directives
    DIRECTIVE_COMPOSITION_ERROR = (
        "DIRECTIVE_COMPOSITION_ERROR",
        "A @composeDirective cannot be applied.",
    )
    CONTEXT_NAME_INVALID = "CONTEXT_NAME_INVALID", "A context's name is not valid."
    CONTEXT_NOT_SET = "CONTEXT_NOT_SET", "A @fromContext uses a context that nothing sets."
    NO_CONTEXT_IN_SELECTION = (
        "NO_CONTEXT_IN_SELECTION",
        "The field value of a @fromContext names no context.",
    )
    CONTEXT_INVALID_SELECTION = (
        "CONTEXT_INVALID_SELECTION",
        "The selection of a @fromContext does not lead to exactly one value.",
    )
    CONTEXT_NO_RESOLVABLE_KEY = (
        "CONTEXT_NO_RESOLVABLE_KEY",
        "A type that uses @fromContext has no resolvable key.",
    )
    CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS = (
        "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        "An argument is set from context in one subgraph and required from clients in another.",
    )
    COST_APPLIED_TO_INTERFACE_FIELD = (
        "COST_APPLIED_TO_INTERFACE_FIELD",
        "@cost stands on an interface's field.",
    )
    LIST_SIZE_APPLIED_TO_NON_LIST = (
        "LIST_SIZE_APPLIED_TO_NON_LIST",
        "@listSize stands on a field that is not a list and names no sized field.",
    )
    LIST_SIZE_INVALID_ASSUMED_SIZE = (
        "LIST_SIZE_INVALID_ASSUMED_SIZE",
        "The assumed size of a @listSize is negative.",
    )
    LIST_SIZE_INVALID_SLICING_ARGUMENT = (
        "LIST_SIZE_INVALID_SLICING_ARGUMENT",
        "A slicing argument of a @listSize does not exist or is no integer.",
    )
    LIST_SIZE_INVALID_SIZED_FIELD = (
        "LIST_SIZE_INVALID_SIZED_FIELD",
        "A sized field of a @listSize does not exist or is no list.",
    )
    AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE = (
        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        "An access directive stands on an interface, its field or an interface object.",
    )
    MISSING_TRANSITIVE_AUTH_REQUIREMENTS = (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        "A field is given data with stricter access rules than its own.",
    )

    # Ours: reading the input of a composition
    CONFIG_INVALID = "CONFIG_INVALID", "The composition config is not valid."
    CONFIG_FILE_MISSING = "CONFIG_FILE_MISSING", "A file that the composition needs cannot be read."
    SUBGRAPH_UNREACHABLE = (
        "SUBGRAPH_UNREACHABLE",
        "A subgraph could not be asked for its schema over HTTP.",
    )
    SUBGRAPH_WITHOUT_SERVICE = (
        "SUBGRAPH_WITHOUT_SERVICE",
        "A subgraph does not answer `{ _service { sdl } }`.",
    )
