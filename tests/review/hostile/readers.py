"""Parse comments as GitHub does and pages as HTML, and report everything that is not inert.

cmark-gfm is GitHub's own Markdown parser; markdown-it says which parts of the source are HTML.
GitHub looks for mentions, references and hashes afterwards, in the text outside of code
(gjtorikian/html-pipeline: `ignored_ancestor_tags` are pre, code, tt, a, style and script).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

# The output also keeps everything that GitHub would only filter afterwards.
OPTIONS: Final = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
IN_A_COMMENT: Final = {
    *("blockquote", "br", "code", "h2", "li", "p", "pre", "strong", "ul"),
    *("b", "details", "summary", "sub"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: Final = {
    *(("details", "open", None), ("pre", "lang", "diff"), ("pre", "lang", "text")),
    *((cell, "align", "right") for cell in ("th", "td")),
}
IN_A_PAGE: Final = (IN_A_COMMENT - {"blockquote", "br", "b", "sub"}) | {
    *("a", "article", "body", "footer", "h1", "h3", "h4", "head", "header", "html"),
    *("main", "meta", "section", "span", "strong", "style", "title"),
}
PAGES_ATTRIBUTES: Final = {
    "class": re.compile(
        r"(box )?(loses-data|unknown|restarts|safe)|soft|rows|added|removed|place|same|wrap"
    ),
    "style": re.compile(r"white-space: pre-line"),
    "href": re.compile(r"#section-\d+"),
    "id": re.compile(r"section-\d+"),
    "data-label": re.compile(r"[A-Za-z ]+"),
    "scope": re.compile("col"),
    "colspan": re.compile("2"),
    "tabindex": re.compile("0"),
    "lang": re.compile("en"),
}
# Our own lines of HTML in a comment, with the text that they contain.
_OWN_HTML: Final = re.compile(
    r"</?details>|<details open>"
    r"|<summary><b>[\w. ]+</b>: (<code>[^<>]*</code>(, )?)*[\w ,]*( \([\w ]+\))?"
    r"( &middot; [\w, ]+)?</summary>|<summary>The same in [\d,]+ stacks?</summary>"
)
# Words that no service interprets, and punctuation marks.
_PLAIN: Final = re.compile(
    r"\(?([A-Za-z]+(['-][A-Za-z]+)*'?|D1[A-Za-z]*|-?\d{1,3}(,\d{3})*)?[,.;:!?)]*"
)
_DECIMAL: Final = re.compile(r"\d+\.\d")
_OWN_WORDS: Final = {"+", "~", "±", "-", "·", "[!CAUTION]", "[!WARNING]"}
_HASH: Final = re.compile(r"\b[0-9a-f]{7,}\b", re.IGNORECASE)
_SAFE_CONTROLS: Final = {"\n"}


@dataclass
class Elements(HTMLParser):
    """The elements of a document, and its text inside and outside of code."""

    found: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    badly_nested: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"br", "meta", "hr", "img", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "br" or not self.open or self.open.pop() != tag:
            self.badly_nested = True

    def handle_data(self, data: str) -> None:
        in_code = {"code", "pre", "style"} & {*self.open}
        (self.inside if in_code else self.outside).append(data)

    def handle_comment(self, data: str) -> None:
        self.rest.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.rest.append(f"declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.rest.append(f"instruction {data!r}")

    unknown_decl = handle_decl


def elements_of(text: str) -> Elements:
    elements = Elements()
    elements.feed(text)
    elements.close()
    return elements


def as_github_shows(markdown: str) -> Elements:
    return elements_of(cmarkgfm.github_flavored_markdown_to_html(markdown, options=OPTIONS))


def acting_in_comment(markdown: str) -> list[str]:
    """List what a comment contains that is not plainly ours; the list must be empty."""
    shown = as_github_shows(markdown)
    return [
        *([] if not (shown.badly_nested or shown.open) else ["its elements are badly nested"]),
        *shown.rest,
        *(f"element {tag}" for tag, _ in shown.found if tag not in IN_A_COMMENT),
        *(
            f"attribute {tag} {name}={value!r}"
            for tag, attributes in shown.found
            for name, value in attributes.items()
            if (tag, name, value) not in ATTRIBUTES
        ),
        *(f"word {item!r}" for item in _words(shown.outside) if not _is_plain(item)),
        *(f"character {item!r}" for item in unseen(markdown)),
        *_foreign_parts(markdown),
    ]


def acting_in_page(page: str) -> list[str]:
    """List what a page contains that is not plainly ours; the list must be empty."""
    shown = elements_of(page.removeprefix("<!doctype html>"))
    return [
        *([] if not (shown.badly_nested or shown.open) else ["its elements are badly nested"]),
        *shown.rest,
        *(f"element {tag}" for tag, _ in shown.found if tag not in IN_A_PAGE),
        *(
            f"attribute {tag} {name}={value!r}"
            for tag, attributes in shown.found
            for name, value in attributes.items()
            if tag != "meta" and not _is_own(name, value)
        ),
        *(f"character {item!r}" for item in unseen(page)),
    ]


def shape(elements: Elements, leaving_out: frozenset[str]) -> Counter[str]:
    """Count the elements of each kind."""
    return Counter(tag for tag, _ in elements.found if tag not in leaving_out)


def _is_own(name: str, value: str | None) -> bool:
    pattern = PAGES_ATTRIBUTES.get(name)
    return pattern is not None and pattern.fullmatch(value or "") is not None


def _words(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield from text.split()


def _is_plain(word: str) -> bool:
    if word in _OWN_WORDS or _DECIMAL.fullmatch(word):
        return True
    return _PLAIN.fullmatch(word) is not None and _HASH.search(word) is None


def unseen(text: str) -> Iterator[str]:
    """List invisible characters that have an effect."""
    for char in dict.fromkeys(text):
        category = unicodedata.category(char)
        if char not in _SAFE_CONTROLS | {"\t", " "} and category[0] in "CZ":
            yield char


def _foreign_parts(markdown: str) -> Iterator[str]:
    """List HTML that is not one of our lines, links, images, and fences of other languages."""
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        yield from _foreign(token)


def _foreign(token: Any) -> Iterator[str]:
    if token.type == "html_block":
        for line in token.content.splitlines():
            if line.strip() and not _OWN_HTML.fullmatch(line.strip()):
                yield f"HTML {line!r}"
    elif token.type in {"html_inline", "image", "link_open", "code_block"}:
        yield f"{token.type} {token.content!r}"
    elif token.type == "fence" and token.info not in {"diff", "text"}:
        yield f"fence of {token.info!r}"
    for inner in token.children or ():
        yield from _foreign(inner)
