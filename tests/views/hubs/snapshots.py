"""Make the pictures of viewers in docs/img: `python tests/views/hubs/snapshots.py`.

They are what IGV, igv.js and a browser draw of the bundled stretch, and need the same
programs as the tests marked `browser`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path.insert(0, str(TESTS))

from chromium import open_chromium, wait_for  # noqa: E402
from igv_desktop import snapshot  # noqa: E402
from tfimpute_tracks.commands.console import print_result  # noqa: E402
from tfimpute_tracks.genome import open_bundled  # noqa: E402
from tfimpute_tracks.kernels.encode import decode  # noqa: E402

IMAGES = TESTS.parent / "docs" / "img"
PAIRS = "CTCF:K562;RAD21:K562;CEBPB:HepG2;FOXA1:K562"
SHOWN = "CEBPB:HepG2,CTCF:K562,RAD21:K562"
VARIANT = "chr20:48803955+G>C"


def _run(*arguments: object) -> None:
    command = [sys.executable, "-m", "tfimpute_tracks", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _browse(folder: Path) -> None:
    command = [sys.executable, "-m", "tfimpute_tracks", "browse", "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        open_chromium(folder, (1360, 1180)) as driver,
    ):
        address = server.stdout.readline().strip()
        locus = "chr20:48790001-48825000"
        driver.get(
            f"{address}#locus={locus}&tracks={SHOWN}&rank=cell:HepG2&variant={VARIANT}"
        )
        ready = "return document.body.dataset.ready"
        wait_for(driver, lambda driver: driver.execute_script(ready) == "yes")
        driver.execute_script("page.browser.search('chr20:48,795,000-48,825,000')")
        _shoot(driver, "browse.png")
        server.terminate()


def _shoot(driver: object, name: str) -> None:
    ready = "return document.body.dataset.ready"
    wait_for(driver, lambda driver: driver.execute_script(ready) == "yes")
    time.sleep(2)  # until the last track is drawn
    driver.save_screenshot(str(IMAGES / name))
    print_result(str(IMAGES / name))


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tracks, fasta = folder / "tracks", folder / "chr20.fa"
        fasta.write_text(f">chr20\n{decode(open_bundled().codes('chr20'))}\n")
        _run("scan", "--pairs", PAIRS, "-o", tracks)
        _run(
            *("scan", "--tf", "CEBPB", "--cell", "HepG2"),
            "-o",
            tracks,
            "--signal",
            "specificity",
        )
        _run("hub", tracks, "--fasta-url", fasta)
        _run("report", tracks, "-r", "CEBPB", "-o", folder / "report.html")
        place = "chr20:48,790,000-48,825,000"
        drawn = snapshot(folder, fasta, [tracks / "igv.session.xml"], place)
        (IMAGES / "igv.png").write_bytes(drawn.read_bytes())
        print_result(str(IMAGES / "igv.png"))
        with open_chromium(folder / "report", (1300, 1500)) as driver:
            driver.get(f"file://{folder}/report.html")
            _shoot(driver, "report.png")
        _browse(folder / "browse")


if __name__ == "__main__":
    main()
