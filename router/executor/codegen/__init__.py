"""Python source generated per program: collecting representations and projecting the response.

Generated source is many times faster than the readers, which go through the same model object by
object (``python -m benchmarks.executor``). It knows the regular case only. On anything irregular
(a missing key, a wrong type, a null that is not allowed) it stops by raising, and the precise
readers (``object_reader``, ``projection_interpreter``) do the work over again.
"""

from router.executor.codegen.collection import compile_collector
from router.executor.codegen.projection import compile_projection
from router.executor.codegen.runtime import IRREGULARITIES
from router.executor.codegen.writer import CodeTooLargeError

__all__ = ["IRREGULARITIES", "CodeTooLargeError", "compile_collector", "compile_projection"]
