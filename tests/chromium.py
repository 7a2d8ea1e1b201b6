"""A real browser for tests: Chromium without a window, and a server of a folder.

Nothing but this machine is asked for anything. Where there is no Chromium with its
driver the tests that need one are skipped.
"""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

IGV = Path(__file__).parents[1] / "views" / "data" / "igv.min.js"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_FAULTS = """
const faults = [];
const light = color => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ground = e => {
  for (; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(color)) return color;
  }
};
for (const e of document.querySelectorAll("input, select, button")) {
  const name = e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.[0];
  if (!name && e.offsetParent) faults.push("no name: " + e.id);
}
for (const e of document.body.querySelectorAll("*")) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (!own || !e.offsetParent || e.closest("svg, #igv, option")) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) faults.push(`${contrast.toFixed(1)}: ${e.textContent.slice(0, 40)}`);
}
return faults;
"""


@contextmanager
def open_chromium(folder, size=(1300, 700)):
    """Give a driver of a browser whose downloads land in a folder."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium")
    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    chromedriver = shutil.which("chromedriver")
    if not (binary and chromedriver):
        pytest.skip("no Chromium with chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    width, height = size
    profile = Path(folder) / "profile"
    for flag in (
        *FLAGS,
        f"--window-size={width},{height}",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs",
        {
            "download.default_directory": str(folder),
            "profile.default_content_setting_values.automatic_downloads": 1,
        },
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(chromedriver)
    )
    try:
        driver.set_script_timeout(30)
        yield driver
    finally:
        driver.quit()


def wait_for(driver, what, seconds=60):
    """Wait until a function of the driver gives something true, and give it."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, seconds, poll_frequency=0.05).until(what)


def complaints(driver):
    """Give what the browser's console told as wrong so far."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if entry["level"] in {"SEVERE", "WARNING"}
    ]


def faults(driver):
    """List controls without a name, and text of less contrast than 4.5 to 1.

    igv.js and drawings are left out.
    """
    return driver.execute_script(_FAULTS)


def look(driver, width=1400, height=1000, scheme="light", media=""):
    """Change the size of the window, light and dark, and screen and print."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {
            "media": media,
            "features": [{"name": "prefers-color-scheme", "value": scheme}],
        },
    )


def wait_to_fit(driver):
    """Wait until nothing is wider than the window, without its scroll bar."""
    fits = """const {scrollWidth, clientWidth} = document.documentElement;
      return scrollWidth <= clientWidth;"""
    wait_for(driver, lambda d: d.execute_script(fits), 5)


def is_zoom_shown(driver):
    """Tell whether igv.js shows all of its zoom buttons."""
    return driver.execute_script("""
      const host = document.getElementById("igv");
      const zoom = host.shadowRoot.querySelector("[class^=igv-zoom-widget]");
      return zoom.getBoundingClientRect().right <= host.getBoundingClientRect().right;
    """)


def colored_pixels(path, color, near=40):
    """Count the pixels of a PNG that are close to a color of three bytes."""
    pixels = (imread(path)[..., :3] * 255).astype(int)
    return int((np.abs(pixels - np.array(color)).max(axis=-1) <= near).sum())


class _RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Serve byte ranges, as a hub's server has to: igv.js asks for pieces of files."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not (asked and path.is_file()):
            super().do_GET()
            return
        data = path.read_bytes()
        first = int(asked[1])
        piece = data[first : int(asked[2]) + 1 if asked[2] else None]
        self.send_response(206)
        last = first + len(piece) - 1
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        self.wfile.write(piece)


@contextmanager
def serve_folder(folder):
    """Serve a folder from a thread; gives its address."""
    handler = functools.partial(_RangeHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
