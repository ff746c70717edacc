"""Pickling by constructor: for the small values that travel between processes with each sample.

What ``dataclasses`` makes for frozen classes with slots asks for the class's fields at each value,
which took 3 ms for the memory of a person with a hand (hundreds of values, read and written twice).
"""

from typing import ClassVar, Self


class CompactPickle:
    """Base of a dataclass whose fields are all arguments: it is pickled as a call with them."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), tuple([getattr(self, name) for name in self.__match_args__])
