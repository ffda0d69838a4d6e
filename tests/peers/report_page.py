"""Chromium opens the pages of `satchel report`: usage report_page.py PROGRAM [PAGE…] [--screenshots DIR] (part of `make peers`).

Without PAGE it trains two runs and a small table on made pictures, writes a run folder with 1,000 classes, and takes the pages of them and of their
comparison. Each page is opened at 390 and 1280 pixels, light and dark, and as print. Nothing may be requested, stick out, be cut off, lie over other text, be
too small on a phone or too pale. Pictures of the pages go to DIR, to be looked at. Needs chromium (without it the check is left out) and pillow, numpy.
"""
import argparse
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WIDTHS = {"phone": 390, "desktop": 1280, "print": 686}  # print: A4 less its margins
SMALLEST = 7  # pixels of a letter's body on a phone

# What is wrong with the layout, as a list of sentences.
INSPECT = """
(() => {
  const found = [], page = document.scrollingElement, phone = innerWidth < 500;
  const name = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + ' "' + (e.textContent || e.alt || '').trim().slice(0, 40) + '"';
  const shown = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && e.checkVisibility(); };
  if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} pixels wide`);
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e)) continue;
    const r = e.getBoundingClientRect();
    if (r.left < -1 || r.right > page.clientWidth + 1) found.push(name(e) + ' sticks out of the page');
    const hides = getComputedStyle(e).overflowX != 'visible' && !(e instanceof SVGElement);
    if (hides && e.scrollWidth > e.clientWidth + 1) found.push(name(e) + ` is cut off: ${e.scrollWidth} of ${e.clientWidth} pixels`);
    if (e.tagName == 'IMG' && !e.naturalWidth) found.push('a picture cannot be shown');
  }
  const overlap = (a, b, slack) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack &&
                                   Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack;
  const clashes = (elements, slack) => {
    const boxes = elements.filter(shown).map(e => [e, e.getBoundingClientRect()]).sort((a, b) => a[1].top - b[1].top);
    for (let i = 0; i < boxes.length; ++i)
      for (let k = i + 1; k < boxes.length && boxes[k][1].top < boxes[i][1].bottom; ++k)
        if (!boxes[i][0].contains(boxes[k][0]) && !boxes[k][0].contains(boxes[i][0]) && overlap(boxes[i][1], boxes[k][1], slack))
          found.push(name(boxes[i][0]) + ' lies over ' + name(boxes[k][0]));
  };
  clashes([...document.querySelectorAll('h1,h2,h3,p,td,th,nav a,summary,pre,figcaption,img,svg,.tile b,.tile span,.key span,.bar')], 0.5);
  for (const svg of document.querySelectorAll('svg')) {
    if (!shown(svg)) continue;
    const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')];
    clashes(texts.filter(t => !t.hasAttribute('transform')), 1.5);
    for (const t of texts) {
      const r = t.getBoundingClientRect();
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
        found.push('text "' + t.textContent + '" is cut off by its drawing');
      const size = parseFloat(t.getAttribute('font-size')) * box.width / svg.viewBox.baseVal.width;
      if (phone && size < SMALLEST) found.push(`text "${t.textContent}" of ${size.toFixed(1)} pixels`);
    }
  }
  const light = c => { const f = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                       return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)|transparent/.test(c)) return c; }
                        return 'rgb(255,255,255)'; };
  for (const e of document.querySelectorAll('h1,h2,h3,p,td,th,nav a,pre,figcaption,figcaption span,.tile b,.tile span,svg text')) {
    if (!shown(e)) continue;
    const style = getComputedStyle(e), drawn = e instanceof SVGElement;
    if (drawn && e.classList.contains('f-on')) continue;  // stands on a cell of the matrix
    const a = light(drawn ? style.fill : style.color), b = light(ground(drawn ? e.ownerSVGElement : e));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(name(e) + ` has a contrast of ${contrast.toFixed(1)}`);
  }
  return [...new Set(found)].slice(0, 12);
})()
""".replace("SMALLEST", str(SMALLEST))


class Browser:
    """One page of a headless Chromium, spoken to over a pipe (the DevTools protocol, messages ended by a zero byte)."""

    def __init__(self, program, profile):
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", program, *flags, "about:blank"],
            pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser), os.close(from_browser)
        self.rest, self.count, self.session, self.requests = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(domain + ".enable")

    def message(self):
        while b"\0" not in self.rest:
            piece = os.read(self.read, 1 << 20)
            if not piece:
                sys.exit("report_page.py: chromium ended by itself")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        return message

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while (answer := self.message()).get("id") != self.count:
            pass
        if "error" in answer:
            sys.exit(f"report_page.py: {method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, page, width, scheme="light", media="screen"):
        """Returns the addresses that were asked for, the page's own left out."""
        self.requests = []
        phone = width < 500
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=page.resolve().as_uri())
        while self.message().get("method") != "Page.loadEventFired":
            pass
        return [url for url in self.requests if not url.startswith("data:") and url != page.resolve().as_uri()]

    def inspect(self):
        answer = self.call("Runtime.evaluate", expression=INSPECT, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"report_page.py: {answer['exceptionDetails']}")
        return answer["result"]["value"]

    def screenshot(self, file):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(picture))

    def print(self, file):
        file.write_bytes(base64.b64decode(self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"]))

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()


TABLE = """
title   = "Label smoothing at two batches, with a title that is longer than a line of a phone"
source  = "nobody"
figure  = "logit_gap"
mark    = "[M]"
columns = ["a batch of 8", "a batch of 16"]
[[row]]
name    = "baseline"
paper   = { "a batch of 8" = 75.87, "a batch of 16" = "75.17 [V]" }
[[row]]
name    = "+ label smoothing, as much as suits it"
grid    = { "train.smoothing" = [0.1, 0.2] }
paper   = { "a batch of 8" = 76.2 }
[scale.small]
recipe  = "plain"
data    = "data"
cost    = "seconds"
set     = ["model=cifar_resnet8", "augment=[{resize={size=32}},{center_crop={size=32}}]", "evaluate.img_size=32", "train.length=2 epochs", "optimizer.sgd.lr=0.05"]
column."a batch of 8" = ["train.batch=8"]
column."a batch of 16" = ["train.batch=16"]
"""


def made_table(program, root):
    """The page of a table with a grid, a figure and a link to the page of a run."""
    (root / "table.toml").write_text(TABLE)
    repro = [program, "repro", str(root / "table.toml"), "--data", str(root / "data"), "--output", str(root / "table"), "--seeds", "2", "--device", "cpu"]
    subprocess.run(repro, check=True, capture_output=True)
    subprocess.run([program, "report", str(next((root / "table/runs").iterdir()))], check=True, capture_output=True)
    subprocess.run(repro, check=True, capture_output=True)  # now with the link
    page = root / "table/report.html"
    if 'href="runs/' not in page.read_text():
        sys.exit("report_page.py: the table's page links to no run")
    return page


def made_pages(program, root):
    """Pages of two real runs, of a run with 1,000 classes, of a comparison, and of a table."""
    import numpy
    from PIL import Image

    chance = numpy.random.default_rng(0)
    names = ["cat", "a_name_without_a_single_space_that_is_longer_than_any_column_of_a_table", "3", "<b>", "Übergröße", "dog"]
    for split, count in (("train", 12), ("val", 8)):
        for label, name in enumerate(names):
            (root / "data" / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = chance.integers(0, 120, (40, 24 + 8 * label, 3)) + [20 * label, 60, 100 - 20 * label]
                Image.fromarray(pixels.astype("uint8")).save(root / "data" / split / name / f"a picture number {i}.png")
    runs = []
    for run, more in (("first", []), ("second-with-smoothing", ["--smoothing", "0.1", "--lr", "0.01"])):
        command = [program, "train", str(root / "data"), "--recipe", "demo", "--model", "cifar_resnet8", "--img-size", "32", "--epochs", "3",
                   "-b", "8", "--output", str(root / "runs"), "--name", run, "--device", "cpu", "--log-interval", "2", *more]
        subprocess.run(command, check=True, capture_output=True)
        runs.append(root / "runs" / run)
    large = root / "runs/thousand"
    shutil.copytree(runs[0], large)
    classes = [f"n{1440764 + 137 * i:08d} class number {i}" for i in range(1000)]
    lines = ["filename,truth,answer,probability,gap"]
    for i, name in enumerate(classes):
        for k in range(10):
            answer = i if chance.random() < 0.7 else i ^ int(chance.integers(1, 8)) if chance.random() < 0.6 else int(chance.integers(0, 1000))
            lines.append(f"val/{name}/{k}.jpg,{name},{classes[min(answer, 999)]},{chance.random():.4f},{chance.normal(9, 3):.4f}")
    (large / "classes.txt").write_text("\n".join(classes) + "\n")
    (large / "predictions.csv").write_text("\n".join(lines) + "\n")
    pages = []
    for name, folders in (("run", runs[:1]), ("thousand", [large]), ("comparison", [*runs, large])):
        pages.append(root / f"{name}.html")
        subprocess.run([program, "report", *map(str, folders), "--output", str(pages[-1])], check=True, capture_output=True)
    return [*pages, made_table(program, root)]


def examine(browser, page, screenshots):
    wrong = []
    if addresses := re.findall(r"(?:src|href)=\"(?!data:|#|runs/)[^\"]*|url\([^)]*|@import[^;]*", page.read_text()):
        wrong.append(f"refers to {addresses[0]}")
    for way, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            asked = browser.open(page, width, scheme, "print" if way == "print" else "screen")
            wrong += [f"{way}, {scheme}: {what}" for what in browser.inspect() + [f"{url} is asked for" for url in asked]]
            if screenshots:
                browser.screenshot(screenshots / f"{page.stem}-{way}-{scheme}.png")
    if screenshots:
        browser.open(page, WIDTHS["print"], media="print")
        browser.print(screenshots / f"{page.stem}.pdf")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        print("no chromium here: the pages of satchel report are not looked at (apt-get install chromium)")
        return
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        pages = arguments.pages or made_pages(str(pathlib.Path(arguments.program).resolve()), root)
        browser = Browser(chromium, root / "profile")
        complaints = [f"{page.name}: {what}" for page in pages for what in examine(browser, page, arguments.screenshots)]
        browser.close()
    if complaints:
        sys.exit("\n".join(complaints))
    print(f"{len(pages)} pages at {len(WIDTHS)} widths, light and dark: nothing requested, cut off, overlapping, too small or too pale")


if __name__ == "__main__":
    main()
