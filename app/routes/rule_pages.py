"""The rules as pages: a list at /rules, and a page for each rule. They need no script."""

from html import escape

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from app.review.rules import RULES, Rule
from app.routes.page import HEADERS

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Dockerfile review</title>
<link rel="icon" type="image/svg+xml" href="{root}favicon.svg">
<link rel="stylesheet" href="{root}page.css">
</head>
<body>
<header class="top">
  <p class="home"><a href="{root}">Dockerfile review</a></p>
  <nav aria-label="Main"><a href="{root}rules">Rules</a> <a href="{root}openapi.json">OpenAPI</a></nav>
</header>
<main class="reading">
{body}
</main>
</body>
</html>
"""
RULE = """\
<h1 class="mark {severity}">{title}</h1>
<p class="fine"><code>{id}</code>, {severity}</p>
<p>{why}</p>
{beside}<section class="error"><h2>Wrong</h2>
<pre tabindex="0"><code>{bad}</code></pre></section>
<section class="good"><h2>Right</h2>
<pre tabindex="0"><code>{good}</code></pre></section>
<p>To ignore the rule at one instruction, write above it: <code># review-ignore: {id} reason</code></p>"""
BESIDE = """\
<section><h2>With this <code>.dockerignore</code></h2>
<pre tabindex="0"><code>{text}</code></pre></section>
"""
ITEM = """<li><span class="mark {severity}" role="img" aria-label="{severity}" title="{severity}"></span>
<a href="rules/{id}">{id}</a> <span>{title}</span></li>"""

router = APIRouter(prefix="/rules", include_in_schema=False)


@router.get("")
async def index() -> HTMLResponse:
    """Return the list of the rules."""
    items = "\n".join(ITEM.format(**_escaped(rule)) for rule in RULES.values())
    return _page("The rules", "./", f'<h1>The rules</h1>\n<ul class="index">\n{items}\n</ul>')


@router.get("/{rule_id}")
async def page(rule_id: str) -> HTMLResponse:
    """Return the page of a rule."""
    if rule_id not in RULES:
        raise HTTPException(404)
    return _page(rule_id, "../", RULE.format(**_escaped(RULES[rule_id])))


def _page(title: str, root: str, body: str) -> HTMLResponse:
    # Addresses are relative, for a proxy that serves the app under a prefix.
    return HTMLResponse(PAGE.format(title=title, root=root, body=body), headers=HEADERS)


def _escaped(rule: Rule) -> dict[str, str]:
    """Return what a page shows of the rule, as HTML."""
    return {
        "id": rule.id,
        "severity": rule.severity.value,
        "title": _prose(rule.title),
        "why": _prose(rule.why),
        "beside": BESIDE.format(text=escape(rule.dockerignore.rstrip())) if rule.dockerignore else "",
        "bad": escape(rule.bad.rstrip()),
        "good": escape(rule.good.rstrip()),
    }


def _prose(text: str) -> str:
    """Return the text as HTML, with code between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
