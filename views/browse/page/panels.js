// Panels below the tracks: a table of peaks, and both alleles of a variant.

import * as api from "./api.js";
import {byId, counted, element, probability, readable, replaceRows, sentence, size} from "./words.js";

const MAX_ROWS = 300;
const peaksAsked = api.turns();
const variantAsked = api.turns();

export async function showPeaks(tracks, window, goTo) {
  const isNewest = peaksAsked();
  const note = byId("peaks-note");
  const pairs = [...new Set(tracks.map((track) => track.pair))];
  const [found, unknown] = await Promise.all([
    Promise.all(pairs.map((pair) => api.peaks(pair, window))), unmeasuredHere(tracks, window),
  ]);
  if (!isNewest()) return;
  const rows = found.flatMap(({pair, peaks}) => peaks.map((peak) => [pair, ...peak]));
  rows.sort((a, b) => b[4] - a[4]);
  const total = found.reduce((sum, {n_peaks}) => sum + n_peaks, 0);
  byId("peaks").parentElement.hidden = !rows.length;
  note.textContent = pairs.length === 0 ? "No tracks yet." : total === 0
    ? found.every(({is_known}) => is_known)
      ? `No predicted peak of ${counted(pairs.length, "pair")} here.`
      : "Nothing is computed here, or the sequence is unknown (N)."
    : `${counted(total, "predicted peak")} of ${counted(pairs.length, "pair")}, the highest first` +
      `${rows.length > MAX_ROWS ? `; ${MAX_ROWS} are listed` : ""}.`;
  if (unknown.length) note.textContent += ` No measured data on ${window.chrom}: ${unknown.join(", ")}.`;
  replaceRows(byId("peaks"), rows.slice(0, MAX_ROWS).map(([pair, start, end, summit, score]) => {
    const region = readable({chrom: window.chrom, start, end});
    const go = element("button", {type: "button", className: "plain", onclick: () => goTo(start, end)}, region);
    return element("tr", {},
      element("td", {}, pair.replace(":", " ")),
      element("td", {}, go),
      element("td", {className: "number"}, size(end - start)),
      element("td", {className: "number"}, probability(score)));
  }));
}

// Pairs with measured tracks, none of which has data for the chromosome: there, no
// measured peak does not mean that the TF does not bind.
async function unmeasuredHere(tracks, {chrom, start}) {
  const measured = tracks.filter((track) => track.measured_tracks);
  const pairs = [...new Set(measured.map((track) => track.pair))];
  const found = await Promise.all(pairs.map((pair) => api.measured(pair, {chrom, start, end: start + 1})));
  return found.filter(({has_data}) => !has_data).map(({pair}) => pair.replace(":", " "));
}

// `asked`: the TF or cell line that is ranked, whose pairs are compared too.
export async function showVariant(text, pairs, asked) {
  const isNewest = variantAsked();
  const note = byId("variant-note");
  const effects = byId("effects");
  note.classList.remove("wrong");
  try {
    if (!pairs.length && !asked) {
      throw new Error("add a track first, or rank a cell line: alleles are compared for its pairs");
    }
    note.textContent = "Comparing…";
    const [found, most] = await Promise.all([
      pairs.length ? api.variant(text, pairs) : null, asked ? api.changes(asked, text) : null,
    ]);
    if (!isNewest()) return null;
    const drawn = found ? " Lines: all tiles over the variant (gray: reference, orange: alternate allele)." : "";
    note.textContent = `${most ? most.meaning : `${found.variant}.`}${drawn} Compared by sequence only.`;
    showChanges(most ? most.largest : []);
    effects.replaceChildren(...(found ? found.pairs.map((pair) => drawEffect(found, pair)) : []));
    return found || most;
  } catch (error) {
    if (!isNewest()) return null;
    note.textContent = sentence(error.message);
    note.classList.add("wrong");
    showChanges([]);
    effects.replaceChildren();
    return null;
  }
}

function showChanges(rows) {
  byId("changes").parentElement.hidden = !rows.length;
  const quantile = (value) => (value === null ? "–" : `${Math.round(100 * value)}%`);
  replaceRows(byId("changes"), rows.map((row) => element("tr", {},
    element("td", {title: row.status}, row.pair.replace(":", " ")),
    element("td", {}, row.binding),
    element("td", {className: "number"}, probability(row.p_ref)),
    element("td", {className: "number"}, probability(row.p_alt)),
    element("td", {className: "number", title: "of similar variants nearby"}, quantile(row.quantile)),
    element("td", {className: "number"}, row.expected_auroc === null ? "–" : row.expected_auroc.toFixed(2)))));
}

function changeOf(difference) {
  const size = Math.abs(difference);
  if (size < 0.0005) return "no change";
  return `${difference > 0 ? "+" : "−"}${size.toFixed(3)}`;
}

function drawEffect(found, pair) {
  const [ref, alt] = [pair.ref_best, pair.alt_best];
  const shown = probability;
  const change = ref === null || alt === null ? "change unknown" : changeOf(alt - ref);
  const caption = `${pair.tf} ${pair.cell} (${pair.status}): ` +
    `${found.ref.slice(0, 12)} ${shown(ref)} → ${found.alt.slice(0, 12)} ${shown(alt)}, ${change}`;
  const [width, height, foot] = [480, 86, 14];
  const all = [...found.ref_centers, ...found.alt_centers];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (at) => 28 + (width - 36) * (at - low) / Math.max(high - low, 1);
  const values = [...pair.ref, ...pair.alt, pair.threshold].filter((value) => value !== null);
  const top = [0.02, 0.05, 0.1, 0.2, 0.5].find((end) => end >= Math.max(...values)) || 1;
  const y = (value) => height - foot - (height - foot - 6) * value / top;
  const path = (centers, values) => centers
    .map((at, i) => (values[i] === null ? null : `${x(at).toFixed(1)},${y(values[i]).toFixed(1)}`))
    .filter(Boolean).join(" ");
  const svg = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${change}">
    <line x1="28" x2="${width - 8}" y1="${y(0)}" y2="${y(0)}" stroke="#b9c3cb"/>
    <line x1="28" x2="${width - 8}" y1="${y(pair.threshold)}" y2="${y(pair.threshold)}" stroke="#b9c3cb" stroke-dasharray="3 3"/>
    <line x1="${x(0)}" x2="${x(0)}" y1="4" y2="${y(0)}" stroke="#d9dfe4"/>
    <polyline points="${path(found.ref_centers, pair.ref)}" fill="none" stroke="#7f7f7f" stroke-width="1.8"/>
    <polyline points="${path(found.alt_centers, pair.alt)}" fill="none" stroke="#d55e00" stroke-width="1.8"/>
    <g font-size="9" fill="#5b6975"><text x="4" y="${y(0) + 3}">0</text><text x="4" y="${y(top) + 3}">${top}</text>
    <text x="${x(0)}" y="${height - 3}" text-anchor="middle">variant</text>
    <text x="28" y="${height - 3}">${low} bp</text><text x="${width - 8}" y="${height - 3}" text-anchor="end">+${high} bp</text></g>
  </svg>`;
  const figure = element("figure", {}, element("figcaption", {}, caption));
  figure.insertAdjacentHTML("beforeend", svg);
  return figure;
}
