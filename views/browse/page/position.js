// The position: the box of igv.js, errors in words, and the keyboard.

import * as api from "./api.js";
import {byId, element, locusOf} from "./words.js";

// What igv.js would show in a dialog of its own goes to `report`; `clear` ends it.
export function adopt(browser, report, clear) {
  const {navbar} = browser;
  byId("igv").shadowRoot.append(element("link", {rel: "stylesheet", href: "page/igv-narrow.css"}));
  navbar.searchInput.setAttribute("aria-label", "Position, or name of a gene");
  navbar.searchInput.placeholder = "Position or gene";
  navbar.doSearch = async (text) => {
    try {
      const region = await api.locate(text);
      clear();
      await browser.search(locusOf(region));
    } catch (error) {
      report(error);
      browser.updateLocusSearchWidget?.();
    }
  };
  browser.alert.present = (error) => report(error);
}

// Arrow keys move, + and - zoom, while the tracks have the focus.
export function listenToKeys(browser, view, sizes) {
  const host = byId("igv");
  host.addEventListener("keydown", (event) => {
    if (event.composedPath()[0] !== host || event.ctrlKey || event.metaKey || event.altKey) return;
    const {chrom, start, end} = view();
    const width = end - start;
    const step = {ArrowLeft: -0.25, ArrowRight: 0.25}[event.key] || 0;
    const scale = {"+": 0.5, "=": 0.5, "-": 2}[event.key] || 1;
    if (!step && scale === 1) return;
    event.preventDefault();
    const size = sizes[chrom];
    const wide = Math.min(size, Math.max(50, Math.round(width * scale)));
    const middle = (start + end) / 2 + step * width;
    const first = Math.round(Math.max(0, Math.min(size - wide, middle - wide / 2)));
    browser.search(locusOf({chrom, start: first, end: first + wide}));
  });
}
