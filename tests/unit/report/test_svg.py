from harvest.report.svg import as_markup, el
from tests.htmlpages import parse


def test_text_is_never_markup_wherever_it_stands():
    hostile = "</svg></style><script>alert('x')</script> & \"quotes\""
    made = as_markup([el("text", hostile, class_=hostile)])
    (text,) = parse(f"<!doctype html><html>{made}</html>")
    assert (text.tag, text.text, text.get("class"), list(text)) == ("text", hostile, hostile, [])


def test_attributes_are_written_as_svg_has_them():
    made = as_markup([el("line", x1=1.25, y1=2.0, stroke_width=0, class_="thin", stroke_dasharray=None), el("circle")])
    assert made == '<line x1="1.2" y1="2" stroke-width="0" class="thin"></line><circle></circle>'
