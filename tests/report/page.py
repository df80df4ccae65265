"""Reads a page of HTML: its elements, texts and tables."""

from html.parser import HTMLParser

VOID = {"meta", "br", "img", "source", "link", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Elements, their attributes and texts; fails where tags are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.rows: list[list[tuple[str | None, str | None, str]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append((dict(attrs).get("data-name"), None, ""))
        if tag == "data":
            name, _, text = self.rows[-1][-1]
            self.rows[-1][-1] = (name, dict(attrs)["value"], text)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)
        if self.open and self.rows and {"td", "th"} & set(self.open):
            name, value, text = self.rows[-1][-1]
            self.rows[-1][-1] = (name, value, text + data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
