"""What notebooks put on a page, made inert: a list of what may stay, nothing else."""

import re
from xml.etree import ElementTree

import nh3

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del"),
    *("details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2"),
    *("h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "mark", "ol", "p", "pre"),
    *("q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table"),
    *("tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
}
ATTRIBUTES = {
    "*": {"class", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope", "abbr"},
}
DROPPED_WITH_CONTENT = {"script", "style", "template", "noscript", "iframe", "svg"}
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
ACTIVE_SVG = {
    *("script", "foreignobject", "iframe", "embed", "object", "handler", "set"),
    *("animate", "animatemotion", "animatetransform", "audio", "video"),
}
HERE = re.compile(r"\s*(#|data:image/(png|jpeg);)")
FOREIGN_STYLE = re.compile(r"@import|url\(\s*['\"]?\s*(?!#|['\"])", re.IGNORECASE)


def sanitise(html: str) -> str:
    """`html` without anything that acts: scripts, styles, handlers, foreign addresses.

    Pictures stay only as `data:` addresses or relative ones; links lose `data:`.
    """
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep_attribute,
        clean_content_tags=DROPPED_WITH_CONTENT,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return None if value.strip().lower().startswith("data:") else value
    if name == "src":
        has_scheme = re.match(r"\s*([a-z][a-z0-9+.-]*:|//)", value, re.IGNORECASE)
        return value if PICTURE.match(value) or not has_scheme else None
    return value


def is_hostile_svg(svg: str) -> bool:
    """Whether an SVG holds script, handlers, or anything loaded from elsewhere.

    matplotlib's own SVGs hold none of it, so that refusing costs nothing.
    """
    if "<!ENTITY" in svg:
        return True
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314 (no entities: see above)
    except ElementTree.ParseError:
        return True
    return any(_acts(element) for element in root.iter())


def _acts(element: ElementTree.Element) -> bool:
    if _local(element.tag) in ACTIVE_SVG:
        return True
    if _local(element.tag) == "style" and FOREIGN_STYLE.search(element.text or ""):
        return True
    for name, value in element.attrib.items():
        if _local(name).startswith("on") or FOREIGN_STYLE.search(value):
            return True
        if _local(name) in ("href", "src") and not HERE.match(value):
            return True
    return False


def _local(name: str) -> str:
    """A name without its namespace, in lower case."""
    return name.rpartition("}")[2].lower()
