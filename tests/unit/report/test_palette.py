import math
import re
from itertools import combinations

import pytest

from harvest.report.page import stylesheet
from harvest.report.palette import DARK, GROUPS, LIGHT, ON, SHAPES, TEXT

THEMES = {"light": LIGHT, "dark": DARK}


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_defined():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ON)
def test_text_can_be_read(theme, ground):
    colours = THEMES[theme]
    assert {
        name: contrast(colours[name], colours[ground])
        for name in TEXT
        if contrast(colours[name], colours[ground]) < 4.5
    } == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ON)
def test_shapes_can_be_told_from_the_ground(theme, ground):
    colours = THEMES[theme]
    assert {
        name: contrast(colours[name], colours[ground])
        for name in SHAPES
        if contrast(colours[name], colours[ground]) < 3
    } == {}


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_groups_look_the_same(theme):
    """As far apart as two neighbours of a colour wheel of twelve: in sRGB, which is coarse, but far enough."""
    colours = [[int(THEMES[theme][name][i : i + 2], 16) for i in (1, 3, 5)] for name in GROUPS]
    assert min(math.dist(one, other) for one, other in combinations(colours, 2)) > 40


def test_every_colour_of_the_page_is_one_of_the_palette():
    style = stylesheet()
    assert set(re.findall(r"var\(--(\w+)\)", style)) <= set(LIGHT)
    assert LIGHT.keys() == DARK.keys()
    written = style.split("}}\n", 1)[1]
    assert re.findall(r"#[0-9a-f]{3,8}\b", written) == []


def test_the_style_loads_nothing():
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()
