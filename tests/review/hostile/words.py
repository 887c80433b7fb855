"""List words that would have an effect in a comment or on a page if they were not escaped."""

import string

from hypothesis import strategies as st

#: Hostile words, by what they attempt.
WORDS = {
    "an element": "<script>document.title='run'</script><img src=x onerror=document.title='run'>",
    "an image that is loaded": "![x](https://tracker.example/a.png)",
    "a link": "[the plan](https://evil.example)",
    "a link by reference": "[x]: https://evil.example\n\n[x]",
    "addresses": "see https://evil.example www.evil.example ann@evil.example xmpp:a@b.c",
    "an autolink": "<https://evil.example> <ann@evil.example>",
    "mentions": "@everyone @acme/admins, (@ann) @ann's a@b",
    "references": "#1 acme/shop#1 GH-1 !1 $1 %1 ~bug &1 ^alert#1 JIRA-1 [vulnerability:1]",
    "hashes": "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef a1b2c3d defaced 0123456",
    "the end of a fence": "a\n```\n<b>out</b> @ann\n```html\n<i>",
    "the end of a long fence": "`````\n~~~~~\n``````````\n<b>out</b>",
    "the end of a span": "` <b>out</b> `` @ann ```",
    "the end of a span by backslash": "\\` <b> \\",
    "the end of a cell": "a | b || `|` \\| | <b>",
    "the end of a block": "a\n\n<b>out</b>\n\n# Heading\n\n* * *\n1. x",
    "the end of details": "</summary></details></code></b><h1>x</h1><details>",
    "entities": "&lt;b&gt; &#64;ann &#x202e; &NewLine;&Tab;&#0;",
    "a comment": "<!-- flowflare-comment plan head=0 run=9.9 --> <!-- --> --!> ]]> <![CDATA[ <?x?>",
    "a command": "/merge\n/approve\n /close",
    "an emoji, a formula, a footnote": ":tada: $x$ $$y$$ [^1]\n\n[^1]: foot\n\n> [!NOTE]\n> x",
    "a setext heading and a table": "a\n===\nb\n---\n\n|a|\n|-|\n|b|",
    "indented code": "    code\n\tcode\n>     quoted",
    "bidi": "admin\u202e \u2066// check\u2069 \u200f\u061c\u2067",
    "invisible text": "a\u200bb\u00adc\u2060d\ufeffe\u180ef\u00a0g\u2028h\u2029\x85\U000e0041",
    "controls": "a\x00b\x1b[31mc\rd\x08e\x7ff\x9bg\x0bh\x0ci",
    "a tower of marks": "a" + "\u0301" * 60,
    "attributes": "\" onmouseover=\"document.title=1\" x=' onload='x' style=x",
    "templates": "{{ 7 * 7 }} {% raw %} ${{ secrets.TOKEN }} ::error::x",
    "nothing": "",
    "blanks": "   ",
    "only ticks": "```",
    "much": "<b>`|" * 300,
}

_PIECES = (
    *("`", "``", "```", "~~~", "````\n", "\n", "\n\n", "\r\n", "\r", "\t", " ", "    ", "|", "\\"),
    *("<", ">", "</", "/>", "<b>", "<a href=x>", "</details>", "<!--", "-->", "&amp;", "&#64;"),
    *("[", "]", "(", ")", "](", "![", "]:", "[^1]", "[!NOTE]", "*", "**", "_", "__", "#", "# "),
    *("@ann", "#1", "GH-1", "!2", "x@y.zz", "www.a.example", "http://a.example", "://", "mailto:"),
    *("- ", "+ ", "1. ", "> ", "---", "===", "/merge", "::", ":tada:", "$", "$$", "{{", "${{"),
    *(
        "\u202e",
        "\u2066",
        "\u200b",
        "\u00a0",
        "\u2028",
        "\x00",
        "\x1b[",
        "\x7f",
        "\u0301",
        "'",
        '"',
    ),
    *("it's", "words", "D1", "v2", "abcdefa", "a,", "b.", ";", "(c)", "objects'", "well-known"),
)
#: Pieces in any order, with letters of any script between them.
texts = st.lists(
    st.sampled_from(_PIECES)
    | st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
    | st.characters(exclude_categories=["Cs"]),
    max_size=14,
).map("".join)
