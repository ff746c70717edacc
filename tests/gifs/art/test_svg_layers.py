"""Layers become SVG: nested, faded, and without what is too small to see."""

from gifs.art.keyframes import Keyframes, keys
from gifs.art.style import SKIN, circle, solid
from gifs.art.svg_layers import Effect, Sticker, SvgLayer

_DOT = '<circle r="5"/>'


def test_layers_move_with_the_layer_around_them() -> None:
    inner = SvgLayer(_DOT, Keyframes(x=3, pivot=(0, 0)))
    svg = SvgLayer(motion=Keyframes(rotate=90, pivot=(0, 0)), layers=(inner,)).draw(0)
    assert svg.index("rotate(90.00)") < svg.index("translate(3.00 0.00)") < svg.index(_DOT)


def test_a_hidden_layer_is_left_out() -> None:
    assert SvgLayer(_DOT, Keyframes(opacity=0)).draw(0) == ""


def test_a_faded_layer_says_how_much() -> None:
    assert 'opacity="0.250"' in SvgLayer(_DOT, Keyframes(opacity=0.25)).draw(0)


def test_a_sticker_leaves_out_a_part_that_would_be_all_border() -> None:
    grows = Keyframes(scale=keys((0, 0.1), (0.5, 1.0)))
    sticker = Sticker((SvgLayer(_DOT, grows),), frames=2)
    assert _DOT not in sticker.draw(0)
    assert _DOT in sticker.draw(1)


def test_an_effect_draws_parts_of_any_size() -> None:
    effect = Effect((SvgLayer(_DOT, Keyframes(scale=0.1)),))
    assert _DOT in effect.draw(0)


def test_bodies_in_one_picture_do_not_share_a_mask() -> None:
    one, other = (solid([circle(x, 0, 5)], SKIN) for x in (0, 10))
    assert one.split('mask id="')[1][:9] != other.split('mask id="')[1][:9]
