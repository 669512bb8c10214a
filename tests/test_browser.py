"""Pages in a real browser, where there is one: the gallery, all reports, and a built site whose folder JAXGAN_SITE names.

One page of our own loads every other in a frame, looks at it, and sends what it has found to this process.
"""

import functools
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-port=0"
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no chromium")]

DRIVER = """<!doctype html><iframe id="frame" style="height: 900px; border: 0"></iframe><script>
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const load = async (path, width) => {
  frame.style.width = `${width}px`;
  const loaded = new Promise((done) => { frame.onload = done; });
  frame.src = path;
  await Promise.race([loaded, pause(20000)]);
};
const look = async (path, width) => {
  await load(path, width);
  const found = [], page = frame.contentDocument, root = page.documentElement;
  const pictures = [...page.querySelectorAll("img[src]")];
  pictures.forEach((img) => { img.loading = "eager"; });
  await Promise.all(pictures.map((img) => img.decode().catch(() => found.push(`picture ${img.src.slice(0, 200)}`))));
  found.push(...frame.contentWindow.errorsSeen);
  if (width < 600 && root.scrollWidth > frame.clientWidth) found.push(`${root.scrollWidth} px wide`);
  pictures.filter((img) => !img.alt && img.closest("figure")).forEach((img) => found.push("a picture without a text"));
  const inside = (link) => new URL(link.href, page.baseURI).origin === location.origin;
  const links = [...page.querySelectorAll("a[href]")].filter(inside).map((link) => link.href.split("#")[0]);
  const anchors = [...page.querySelectorAll("a[href^='#']")].map((link) => decodeURIComponent(link.hash.slice(1)));
  anchors.filter((id) => id && !page.getElementById(id)).forEach((id) => found.push(`no anchor #${id}`));
  return [found, [...new Set(links)]];
};
const clicks = async (path) => {
  // A head that is clicked sorts the methods and leaves the controls last; a picture that is clicked fills the window.
  await load(path, 1280);
  const page = frame.contentDocument, table = page.querySelector("table"), head = [...table.querySelectorAll("th")];
  const names = () => [...table.querySelectorAll("tr")].slice(1).map((row) => [row.cells[0].textContent, row.className]);
  const out = { before: names() };
  head[1].click(); out.first = names();
  out.values = [...table.querySelectorAll("tr")].slice(1).map((row) => row.cells[1].textContent);
  head[1].click(); out.second = names();
  head[1].click(); out.third = names();
  const large = page.querySelector("dialog"), img = page.querySelector("figure img");
  if (img) {
    await img.decode(); img.click(); await pause(50);
    out.open = large.open; out.shown = large.querySelector("img").naturalWidth === img.naturalWidth;
    large.click(); out.closed = !large.open;
  }
  return out;
};
(async () => {
  const answer = {};
  try {
    const asked = await (await fetch("/asked")).json(), links = {};
    for (const path of asked.pages) for (const width of [1280, 390]) {
      const [found, there] = await look(path, width);
      answer[`${path} at ${width}`] = found;
      there.forEach((link) => { (links[link] ||= []).push(path); });
    }
    for (const [link, from] of Object.entries(links)) {
      const got = await fetch(link, { method: "HEAD" });
      if (!got.ok) answer[`${from[0]} to ${link}`] = [`${got.status}`];
    }
    if (asked.click) answer.clicks = await clicks(asked.click);
  } catch (error) { answer.driver = [String(error)]; }
  await fetch("/found", { method: "POST", body: JSON.stringify(answer) });
})();
</script>"""


# Comes first in every page.
LISTENER = b"""<script>var errorsSeen = []; addEventListener("error", (e) => errorsSeen.push(`error: ${e.message}`));
addEventListener("unhandledrejection", (e) => errorsSeen.push(`error: ${e.reason}`));</script>"""


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder, the driver, what it is asked for, and what it answers."""

    def __init__(self, *args, asked, answers, **kwargs):
        self.asked, self.answers = asked, answers
        super().__init__(*args, **kwargs)

    def do_GET(self):
        ours = {"/driver": ("text/html", DRIVER), "/asked": ("application/json", json.dumps(self.asked))}
        kind, body = ours.get(self.path, ("", ""))
        body, page = body.encode(), Path(self.translate_path(self.path))
        page = page / "index.html" if page.is_dir() else page
        if page.suffix == ".html" and page.is_file():
            kind, body = (
                "text/html",
                re.sub(rb"(?i)^\s*<!doctype html>", lambda found: found[0] + LISTENER, page.read_bytes()),
            )
        if not kind:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.answers.put(json.loads(body))

    def log_message(self, *args):
        pass


def seen(folder, pages, profile, click=""):
    """What the browser found: {"PATH at WIDTH": [fault, ...], "clicks": ...}. pages: paths below the folder."""
    answers = queue.Queue()
    handler = functools.partial(
        Handler, directory=str(folder), asked={"pages": [f"/{x}" for x in pages], "click": click}, answers=answers
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/driver"
        command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", "--window-size=1400,1000", url]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return answers.get(timeout=240)
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()


def faults(found):
    return {where: some for where, some in found.items() if some and where != "clicks"}


def test_the_gallery_and_every_report(tmp_path):
    results = ROOT / "results"
    pages = ["index.html", *sorted(str(path.relative_to(results)) for path in results.glob("*/report.html"))]
    found = seen(results, pages, tmp_path, "/smoke/report.html")
    assert len(found) > 2 * len(pages) and not faults(found)
    done = found["clicks"]
    assert done["first"] != done["before"] and done["second"] != done["first"] and done["third"] == done["before"]
    assert done["values"][:6] == sorted(done["values"][:6], key=lambda text: float(text.split(" ± ")[0]))
    assert [kind for _, kind in done["first"]] == [""] * 6 + ["control"] * 3
    assert done["open"] and done["shown"] and done["closed"]


def test_faults_are_found(tmp_path):
    (tmp_path / "wide.html").write_text(
        "<!doctype html><a href='gone.html'>a</a><a href='#gone'>b</a><img src='gone.png'><p style='width: 500px'>wide</p>"
        "<script>nobody()</script>"
    )
    found = faults(seen(tmp_path, ["wide.html"], tmp_path / "profile"))
    wide, narrow = (found[f"/wide.html at {width}"] for width in (1280, 390))
    for some in (wide, narrow):
        assert "no anchor #gone" in some and any("gone.png" in one for one in some)
        assert any("nobody is not defined" in one for one in some)
    assert any(one.endswith("px wide") for one in narrow) and not any(one.endswith("px wide") for one in wide)
    assert any("gone.html" in where for where in found)


@pytest.mark.skipif(not os.environ.get("JAXGAN_SITE"), reason="JAXGAN_SITE names no built site")
def test_a_built_site(tmp_path):
    site = os.environ["JAXGAN_SITE"]
    folder = (ROOT / site).resolve()
    pages = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html") if path.name != "404.html")
    assert pages, f"{folder} has no page"
    assert not faults(seen(folder, pages, tmp_path))
