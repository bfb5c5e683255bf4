from harvest.report.tree import as_html, el
from tests.htmlpages import parse


def test_text_is_never_markup_wherever_it_stands():
    hostile = "</style><script>alert('x')</script> & \"quotes\""
    made = as_html(el("html", el("p", hostile, el("b", hostile), hostile, title=hostile)))
    page = parse(made)
    assert [e.tag for e in page.iter()] == ["html", "p", "b"]
    assert [page[0].text, page[0][0].text, page[0][0].tail, page[0].get("title")] == [hostile] * 4


def test_an_element_is_made_of_its_parts_in_order():
    made = as_html(
        el("p", "one ", el("b", 2000), None, " three ", [el("i", "four"), " five"], class_="x", aria_label=None)
    )
    assert made == '<!doctype html>\n<p class="x">one <b>2,000</b> three <i>four</i> five</p>\n'


def test_attributes_are_written_as_html_has_them():
    made = as_html(el("a", name="n", http_equiv="e", x1=1.25, y=2.0, tabindex=0))
    assert made == '<!doctype html>\n<a name="n" http-equiv="e" x1="1.2" y="2" tabindex="0"></a>\n'
