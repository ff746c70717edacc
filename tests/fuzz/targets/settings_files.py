"""Settings and reaction tables: TOML that is wrong, odd, or of the wrong shape."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import Final

from hypothesis import strategies as st

from config.errors import ConfigError
from config.reaction_table import load_reaction_table
from config.settings import Settings, load_settings
from reactions.labels import LABELS
from tests.fuzz.mutations import drawn, mutated
from tests.fuzz.target import FuzzTarget, refused

SHIPPED: Final = Path(__file__).parents[3] / "config"
SECTIONS: Final = st.sampled_from([*Settings.model_fields, "smile", "thumbs_up", "hand", "x"])
_KEYS: Final = """port host rate longest threshold hold cooldown sticker kind folders level format
url token name"""
WORDS: Final = st.sampled_from(_KEYS.split())


def toml_value() -> st.SearchStrategy[str]:
    """A value as TOML writes it, of any type and depth."""
    numbers = st.one_of(
        st.integers(-(2**70), 2**70).map(str),
        st.sampled_from(["nan", "-inf", "1e400", "0x7f", "+"]),
    )
    texts = st.one_of(
        st.text(max_size=12), st.sampled_from(["../x", "~no-user/x", "a\0b", "\ud7ff"])
    )
    leaves = st.one_of(
        numbers,
        texts.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
        st.sampled_from(["true", "false", "2026-11-29", "23:59:60", "{}", "[]", "''", '"""']),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda values: f"[{', '.join(values)}]"),
            st.tuples(WORDS, inner).map(lambda pair: f"{{ {pair[0]} = {pair[1]} }}"),
        ),
        max_leaves=8,
    )


def toml_file() -> st.SearchStrategy[bytes]:
    line = st.tuples(st.one_of(WORDS, st.text(max_size=6)), toml_value()).map(" = ".join)
    section = st.tuples(SECTIONS, st.lists(line, max_size=5)).map(
        lambda part: "\n".join((f"[{part[0]}]", *part[1]))
    )
    whole = st.lists(section, max_size=4).map("\n".join)
    return st.one_of(
        whole.map(lambda text: text.encode(errors="surrogatepass")),
        whole.map(lambda text: b"\xef\xbb\xbf" + text.encode(errors="surrogatepass")),
        whole.map(lambda text: text.encode("utf-16", errors="surrogatepass")),
    )


def written(random: Random) -> Iterator[bytes]:
    return drawn(toml_file(), random)


def shipped(random: Random) -> Iterator[bytes]:
    files = [(SHIPPED / name).read_bytes() for name in ("default.toml", "reactions.toml")]
    return mutated([*files, b"x = " + b"[" * 3000, b"[a." + b"b." * 3000 + b"c]"], random)


def load(data: bytes) -> bool:
    """Whether ``data`` is a file of settings, or a reaction table."""
    path = Path(gettempdir()) / "fuzz.toml"
    path.write_bytes(data)
    settings = _accepted(partial(load_settings, path, environ={}))
    return _accepted(partial(load_reaction_table, LABELS, path, environ={})) or settings


def _accepted(read: Callable[[], object]) -> bool:
    try:
        read()
    except ConfigError as error:
        return refused(error)
    return True


TARGETS: Final = (
    FuzzTarget("toml-written", written, load),
    FuzzTarget("toml-shipped", shipped, load),
)
