"""The site: it builds without a warning, formulas are MathML, and nothing is loaded from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest
from helpers import ROOT

pytest.importorskip("mkdocs")
spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs/hooks/site.py")
hooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hooks)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site that JAXGAN_SITE names, as .ci/run has built it, or one that is built now."""
    if os.environ.get("JAXGAN_SITE"):
        return ROOT / os.environ["JAXGAN_SITE"]
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_link_of_the_built_site_leads_somewhere(site):
    absent = []
    for page in site.rglob("*.html"):
        text = re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text(), flags=re.DOTALL)
        for link in re.findall(r'\b(?:href|src)="([^"#?]+)', text):
            there = page.parent / link if not link.startswith("/") else site / link[1:]
            if not re.match("[a-z]+:", link) and page.name != "404.html" and not there.exists():
                absent.append(f"{page.relative_to(site)}: {link}")
    assert not absent


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site):
    loaded = re.compile(
        r"""<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//(?![^"']*["']? rel=canonical)"""
    )
    assert not [page.name for page in site.rglob("*.html") if loaded.search(page.read_text())]


@pytest.mark.parametrize(
    ("origin", "link", "moved"),
    [
        ("docs/index.md", "start.md#install", "start.md#install"),
        ("docs/index.md", "../results/README.md", "results/notes.md"),
        ("docs/index.md", "../results/ring/report.md", "results/ring/report.html"),
        ("docs/methods/wgan.md", "../../results/quickstart/wgan.png", "../results/quickstart/wgan.png"),
        ("docs/index.md", "../configs/wgan.py", None),
        ("docs/index.md", "https://example.org", "https://example.org"),
        ("results/ring/report.html", "../../docs/claims.md", "../../claims.md"),
        ("results/README.md", "own/README.md", "own/README.md"),
        ("README.md", "docs/claims.md", "../claims.md"),
    ],
)
def test_links_are_moved_with_their_pages(origin, link, moved):
    assert hooks.moved(link, ROOT / origin) == moved


def test_formulas_become_mathml():
    content = r'<p><span class="arithmatex">\(x &lt; 1\)</span></p>'
    out = hooks.on_page_content(content, None, None, None)
    assert "<math" in out and "<mi>x</mi>" in out and "arithmatex" not in out


def test_blocks_are_parted_as_on_github():
    from types import SimpleNamespace

    page = SimpleNamespace(file=SimpleNamespace(abs_src_path=str(ROOT / "docs/index.md"), generated_by=None))
    text = "| a |\n|---|\n| 1 |\n## Next\nIt has:\n- one,\n  two\n- three\n```\n| x |\ny\n```\n"
    out = hooks.on_page_markdown(text, page, None, None)
    assert "| 1 |\n\n## Next\nIt has:\n\n- one,\n  two\n- three\n```\n| x |\ny\n```\n" in out
