// The panel of what binds in the visible region: all TFs of a cell line, or the reverse.

import * as api from "./api.js";
import {byId, counted, element, locusOf, probability, readable, sentence, size} from "./words.js";

const WORDS = {
  cell: {many: "TF", title: "TF", named: "Cell line", list: "cells", example: "K562",
    hint: "Choose a cell line to see which TFs bind in the visible region."},
  tf: {many: "cell line", title: "Cell line", named: "TF", list: "tfs", example: "CTCF",
    hint: "Choose a TF to see in which cell lines it binds in the visible region."},
};

export class Ranking {
  // toggle(pair): show or remove a pair's track.
  constructor(about, toggle) {
    this.about = about;
    this.toggle = toggle;
    this.asked = null; // {by, name}
    this.shown = ""; // what the table shows
    this.buttons = new Map(); // pair -> its button
    byId("rank-by").addEventListener("change", () => this.adapt());
  }

  // The list of names depends on what is ranked.
  adapt() {
    const words = WORDS[byId("rank-by").value];
    const field = byId("rank-name");
    field.setAttribute("list", words.list);
    field.setAttribute("aria-label", words.named);
    field.placeholder = words.example;
    field.value = "";
    if (!this.asked) this.note(words.hint);
  }

  state() {
    return this.asked ? `${this.asked.by}:${this.asked.name}` : "";
  }

  // From a link: "cell:K562".
  restore(text) {
    const [by, ...name] = text.split(":");
    if (!(by in WORDS)) return;
    byId("rank-by").value = by;
    this.adapt();
    byId("rank-name").value = name.join(":");
  }

  async ask(window) {
    const by = byId("rank-by").value;
    const name = byId("rank-name").value.trim();
    this.asked = name ? {by, name} : null;
    this.shown = "";
    if (name) await this.update(window);
    else this.clear(WORDS[by].hint, true);
  }

  // Rank the visible region, unless it is shown already.
  async update(window) {
    if (!this.asked) return;
    const {by, name} = this.asked;
    const wanted = `${by}:${name} ${locusOf(window)}`;
    if (wanted === this.shown) return;
    const width = window.end - window.start;
    const limit = this.about.max_ranked_bp;
    if (width > limit) {
      this.shown = "";
      this.clear(`Zoom in to rank: ${size(width)} are in view, and at most ${size(limit)} are ranked.`);
      return;
    }
    this.shown = wanted;
    byId("ranked").setAttribute("aria-busy", "true");
    if (!this.buttons.size) this.note("Ranking…");
    try {
      const found = await api.rank(by, name, window);
      if (wanted === this.shown) this.draw(by, found);
    } catch (error) {
      if (wanted === this.shown) this.clear(error.message, true);
    } finally {
      byId("ranked").removeAttribute("aria-busy");
    }
  }

  draw(by, found) {
    const words = WORDS[by];
    const {pairs, n_peaks} = found;
    const [first] = pairs;
    const named = by === "cell" ? first.cell : first.tf;
    this.asked.name = named; // as the model writes it
    byId("rank-name").value = named;
    byId("rank-column").textContent = words.title;
    const peaks = n_peaks === 1 ? "has a predicted peak" : "have a predicted peak";
    this.note(`${n_peaks} of ${counted(pairs.length, words.many)} ${peaks} ` +
      `${by === "cell" ? `in ${named}` : `of ${named}`} at ${readable(found)}. Choose one to show its track.`);
    const rows = pairs.map((pair) => this.row(by, pair));
    byId("ranked").querySelector("tbody").replaceChildren(...rows);
    byId("ranked").parentElement.hidden = false;
    this.mark();
  }

  row(by, {tf, cell, probability: value, threshold, is_peak, measured, expected_auroc}) {
    const pair = `${tf}:${cell}`;
    const swatch = element("span", {className: "swatch none", "aria-hidden": "true"});
    const button = element("button", {type: "button", className: "plain",
      onclick: () => this.toggle(pair)}, by === "cell" ? tf : cell);
    this.buttons.set(pair, {button, swatch});
    const call = measured === "not measured" ? "–" : measured;
    return element("tr", {},
      element("td", {}, swatch, button),
      element("td", {className: `number ${is_peak ? "yes" : ""}`}, probability(value)),
      element("td", {className: is_peak ? "yes" : "dim",
        title: `Peaks of this pair have ${probability(threshold)} or more`}, is_peak ? "peak" : "no peak"),
      element("td", {className: measured === "bound" ? "yes" : "dim", title: measured}, call),
      element("td", {className: "number"}, expected_auroc === null ? "–" : expected_auroc.toFixed(2)));
  }

  // Show which of them have a track.
  mark(tracks = this.tracks || []) {
    this.tracks = tracks;
    for (const [pair, {button, swatch}] of this.buttons) {
      const track = tracks.find((track) => track.pair === pair);
      swatch.classList.toggle("none", !track);
      swatch.style.background = track ? track.color : "";
      button.setAttribute("aria-pressed", String(Boolean(track)));
      button.title = track ? "Remove the track" : "Show the track";
    }
  }

  clear(text, wrong = false) {
    this.buttons.clear();
    byId("ranked").parentElement.hidden = true;
    byId("ranked").querySelector("tbody").replaceChildren();
    this.note(text, wrong);
  }

  note(text, wrong = false) {
    byId("rank-note").textContent = sentence(text);
    byId("rank-note").classList.toggle("wrong", wrong);
  }
}
