// The page: the tracks, igv.js, and the panels below it.

import * as api from "./api.js";
import {listenToEvidence, showEvidence} from "./evidence.js";
import {showPeaks, showVariant} from "./panels.js";
import {adopt, listenToKeys} from "./position.js";
import {Ranking} from "./ranking.js";
import {COLORS, GeneSource, igvTracks, sharedAxis} from "./sources.js";
import {readState, writeState} from "./state.js";
import {byId, element, locusOf, sentence, size} from "./words.js";

let browser, about, ranking;
let tracks = [];
let variant = "";
let nextId = 0;

// ---- the visible region ------------------------------------------------------------

function view() {
  const frame = browser.referenceFrameList[0];
  const end = Math.min(frame.end, about.chrom_sizes[frame.chr] || frame.end);
  return {chrom: frame.chr, start: Math.max(0, Math.floor(frame.start)), end: Math.ceil(end)};
}

let timer;
function viewChanged() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const window = view();
    writeState(locusOf(window), tracks, ranking.state(), variant);
    showEvidence(about, window.chrom);
    try {
      await Promise.all([
        offerToCompute(window), showPeaks(tracks, window, goTo), ranking.update(window),
      ]);
    } catch (error) {
      showError(error);
    }
  }, 250);
}

function goTo(start, end) {
  const flank = Math.max(1000, end - start);
  browser.search(locusOf({chrom: view().chrom, start: Math.max(0, start - flank), end: end + flank}));
}

// ---- messages ----------------------------------------------------------------------

// `kind` is "wrong" for an error, which screen readers announce at once.
function showMessage(text, kind = "", button = null) {
  const message = byId("message");
  message.classList.toggle("wrong", kind === "wrong");
  byId("message-text").setAttribute("role", kind === "wrong" ? "alert" : "status");
  message.hidden = !text;
  byId("message-text").replaceChildren(text, ...(button ? [button] : []));
  delete message.dataset.about;
}

function showError(error) {
  showMessage(sentence(error?.message || String(error)), "wrong");
}

const computedAsked = api.turns();
async function offerToCompute(window) {
  const isNewest = computedAsked();
  const message = byId("message");
  let computed = 1; // the smallest fraction of all tracks
  if (3 * (window.end - window.start) > about.max_bp) {
    const requests = tracks.map(({pair, signal}) => api.computed(pair, signal, window));
    computed = Math.min(1, ...(await Promise.all(requests)).map(({fraction}) => fraction));
  }
  if (!isNewest()) return;
  if (!message.hidden && message.classList.contains("wrong")) return; // read that first
  if (computed === 1) {
    if (message.dataset.about === "computed") showMessage("");
    return;
  }
  const button = element("button", {
    type: "button", id: "compute", onclick: () => computeAll(window).catch(showError),
  }, "Compute it all");
  showMessage(
    `${size(window.end - window.start)} are too wide to compute while you look: ` +
    `${Math.floor(100 * computed)}% is computed. Zoom in, or compute it in the background.`, "", button);
  message.dataset.about = "computed";
}

async function computeAll(window) {
  for (const signal of new Set(tracks.map((track) => track.signal))) {
    const pairs = tracks.filter((track) => track.signal === signal).map((track) => track.pair);
    await api.compute(pairs, signal, window);
    for (;;) {
      const {running, fraction, error} = await api.progress();
      if (error) throw new Error(error);
      showMessage(`Computing: ${Math.floor(100 * fraction)}%`);
      if (!running) break;
      await new Promise((done) => setTimeout(done, 400));
    }
  }
  byId("message").dataset.about = "computed";
  await redraw();
}

async function redraw() {
  for (const view of browser.trackViews) {
    if (view.track.featureSource?.track) view.clearCachedFeatures();
  }
  await browser.updateViews(true);
  viewChanged();
}

// ---- tracks ------------------------------------------------------------------------

// Add tracks together. Those that cannot be added are reported in one error.
async function add(...requested) {
  const answers = await Promise.allSettled(requested.map(({pair}) => api.describe(pair)));
  const added = [];
  const errors = [];
  answers.forEach(({value, reason}, i) => {
    const {signal} = requested[i];
    const error = reason?.message || refusal(value, signal);
    if (error) errors.push(error);
    else added.push(newTrack(value, signal));
  });
  showChosen();
  await browser.loadTrackList(added.flatMap((track) => igvTracks(track, tracks)));
  shareAxes();
  viewChanged();
  const more = errors.length > 3 ? `; and ${errors.length - 3} more` : "";
  if (errors.length) throw new Error(errors.slice(0, 3).join("; ") + more);
}

// Tracks of a signal have one axis, so that their heights can be compared.
function shareAxes() {
  for (const {track} of browser.trackViews) {
    const shown = track.featureSource?.track;
    if (track.type !== "wig" || !shown) continue;
    const axis = sharedAxis(shown.signal, tracks);
    const {min, max} = track.dataRange || {};
    if (min !== axis.min || max !== axis.max) track.setDataRange(axis);
  }
}

function refusal({pair}, signal) {
  if (!(signal in about.signals)) return `there is no signal ${signal}`;
  if (tracks.some((track) => track.pair === pair && track.signal === signal)) {
    return `${pair} is already shown`;
  }
  if (tracks.length >= about.max_pairs) {
    return `${pair} was not added: a page shows at most ${about.max_pairs} tracks`;
  }
  return "";
}

function newTrack(description, signal) {
  const color = COLORS[nextId % COLORS.length];
  const track = {...description, signal, color, id: `track-${nextId++}`};
  tracks.push(track);
  return track;
}

function remove(track) {
  const at = [...byId("chosen").children].findIndex((item) => item.contains(document.activeElement));
  tracks = tracks.filter((other) => other !== track);
  for (const what of ["signal", "peaks", "measured"]) {
    const view = browser.trackViews.find((view) => view.track.id === `${track.id}-${what}`);
    if (view) browser.removeTrack(view.track);
  }
  if (tracks.length) shareAxes();
  showChosen();
  if (at >= 0) { // the focus stays near the button that is gone
    const left = byId("chosen").querySelectorAll("button");
    (left[Math.min(at, left.length - 1)] || byId("tf")).focus();
  }
  viewChanged();
}

function showChosen() {
  byId("chosen").replaceChildren(...tracks.map((track) => {
    const ends = track.expected_auroc_interval;
    const interval = ends ? ` (${ends.map((end) => end.toFixed(2)).join(" to ")})` : "";
    const auroc = track.expected_auroc === null
      ? "" : `, expected AUROC ${track.expected_auroc.toFixed(2)}${interval}`;
    const signal = track.signal === "probability" ? "" : `${track.signal}, `;
    const note = element("small", {}, `${signal}${track.status}${auroc}`);
    note.title = track.status === "measured"
      ? `There are measured peaks of the pair. AUROC on ${about.test_sites}.`
      : "There are no measured peaks of the pair. The AUROC is estimated from the TF and the cell line; nine of ten held-out pairs are within the interval.";
    const swatch = element("span", {className: "swatch", "aria-hidden": "true"});
    swatch.style.background = track.color;
    const label = `Remove ${track.tf} ${track.cell}${track.signal === "probability" ? "" : ` ${track.signal}`}`;
    const button = element("button", {
      type: "button", title: label, "aria-label": label, onclick: () => remove(track),
    }, "×");
    return element("li", {}, swatch, `${track.tf} ${track.cell}`, note, button);
  }));
  ranking.mark(tracks);
}

// From the ranking: a click adds the track of a pair, another one removes it.
async function toggle(pair) {
  const shown = tracks.filter((track) => track.pair === pair);
  if (shown.length) shown.forEach(remove);
  else await add({pair, signal: "probability"}).catch(showError);
}

// ---- controls ----------------------------------------------------------------------

function fill(id, values) {
  byId(id).replaceChildren(...values.map((value) => new Option(value, value)));
}

function onSubmit(id, work) {
  byId(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      showMessage("");
      await work();
    } catch (error) {
      showError(error);
    }
  });
}

// The view moves to the variant, unless a link says where it is.
async function compare(moves = true) {
  variant = byId("alleles").value.trim();
  const found = await showVariant(variant, [...new Set(tracks.map((track) => track.pair))], ranking.asked);
  if (!found) return;
  const {chrom, start, ref} = found;
  if (moves) await browser.search(locusOf({chrom, start: Math.max(0, start - 1000), end: start + 1000}));
  browser.clearROIs();
  await browser.loadROI([{
    name: found.variant, color: "rgba(213,94,0,0.35)",
    features: [{chr: chrom, start, end: start + ref.length, name: found.variant}],
  }]);
}

function listen() {
  onSubmit("add", () =>
    add({pair: `${byId("tf").value}:${byId("cell").value}`, signal: byId("signal").value}));
  onSubmit("variant", () => compare());
  onSubmit("rank", async () => {
    await ranking.ask(view());
    writeState(locusOf(view()), tracks, ranking.state(), variant);
  });
  byId("dismiss").onclick = () => showMessage("");
  listenToEvidence();
  listenToKeys(browser, view, about.chrom_sizes);
  byId("link").onclick = async () => {
    writeState(locusOf(view()), tracks, ranking.state(), variant);
    try {
      await navigator.clipboard.writeText(location.href);
      showMessage("Copied. The link works while this server runs with the same genome.");
    } catch {
      showMessage(`The link, to copy by hand: ${location.href}`);
    }
  };
  byId("save").onchange = async ({target}) => {
    const format = target.value;
    target.value = "";
    try {
      if (format === "png") browser.savePNGtoFile("tracks.png");
      else if (format === "svg") api.save(new Blob([browser.toSVG()], {type: "image/svg+xml"}), "tracks.svg");
      else if (!tracks.length) throw new Error("add a track first: there is nothing to save");
      else await api.download([...new Set(tracks.map((track) => track.pair))], view(), format);
    } catch (error) {
      showError(error);
    }
  };
  browser.on("locuschange", viewChanged);
}

const GENES = () => ({
  name: "genes", type: "annotation", format: "bed", featureSource: new GeneSource(),
  color: "#1d2730", displayMode: "EXPANDED", visibilityWindow: 10_000_000, height: 70,
});

async function start() {
  about = await api.about();
  fill("tfs", about.tfs);
  fill("cells", about.cells);
  fill("signal", Object.keys(about.signals));
  byId("save").append(...about.formats.map((name) => new Option(`track file (${name})`, name)));
  const context = about.context ? `, with ${about.context} bp of context on each side` : "";
  ranking = new Ranking(about, toggle);
  byId("alleles").placeholder = about.example;
  byId("about").textContent =
    `Model ${about.model}, which uses ${about.basis}. Genome ${about.genome}. Tiles of ${about.tile} bp every ${about.stride} bp${context}. ` +
    "The probability is the fraction of open-chromatin tiles with the same score that the TF binds. Dashed line: the pair's peak-calling threshold. " +
    "TFImpute: Qin and Feng 2017, doi:10.1371/journal.pcbi.1005403. Genome browser: igv.js.";
  const state = readState();
  let locus = about.locus;
  let isPlaced = false;
  const problems = [];
  if (state.locus) {
    try {
      locus = locusOf(await api.locate(state.locus));
      isPlaced = true;
    } catch (error) {
      problems.push(`the link's position was not found, so ${about.locus} is shown: ${error.message}`);
    }
  }
  browser = await igv.createBrowser(byId("igv"), {
    loadDefaultGenomes: false,
    reference: {
      id: about.build || "genome", name: about.genome, wholeGenomeView: false,
      fastaURL: "genome.fa", indexURL: "genome.fa.fai",
    },
    tracks: about.has_genes ? [GENES()] : [],
    locus, search: false, showChromosomeWidget: true, showSVGButton: false,
  });
  showEvidence(about, view().chrom);
  adopt(browser, showError, () => showMessage(""));
  listen();
  viewChanged();
  if (state.rank) {
    ranking.restore(state.rank);
    await ranking.ask(view());
  }
  if (state.tracks.length) await add(...state.tracks).catch(({message}) => problems.push(message));
  if (problems.length) showError(problems.join("; "));
  if (state.variant) {
    byId("alleles").value = state.variant;
    await compare(!isPlaced);
    viewChanged(); // the link keeps the variant
  }
  window.page = {browser, add, tracks: () => tracks}; // for tests and scripts
  document.body.dataset.ready = "yes";
}

start().catch(showError);
