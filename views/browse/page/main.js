// The page: chosen pairs, igv.js, and what hangs on them.

import * as api from "./api.js";
import {showPeaks, showVariant} from "./panels.js";
import {COLORS, GeneSource, igvTracks} from "./sources.js";
import {readState, writeState} from "./state.js";

const byId = (id) => document.getElementById(id);
let browser, about;
let tracks = [];
let variant = "";
let nextId = 0;

// ---- what is in view ---------------------------------------------------------------

function view() {
  const frame = browser.referenceFrameList[0];
  const end = Math.min(frame.end, about.chrom_sizes[frame.chr] || frame.end);
  return {chrom: frame.chr, start: Math.max(0, Math.floor(frame.start)), end: Math.ceil(end)};
}

function locusOf({chrom, start, end}) {
  return `${chrom}:${start + 1}-${end}`;
}

let waiting;
function moved() {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const window = view();
    writeState(locusOf(window), tracks, variant);
    try {
      await Promise.all([tellWhatIsKnown(window), showPeaks(tracks, window, goTo)]);
    } catch (error) {
      complain(error);
    }
  }, 250);
}

function goTo(start, end) {
  const beside = Math.max(1000, end - start);
  browser.search(locusOf({chrom: view().chrom, start: Math.max(0, start - beside), end: end + beside}));
}

// ---- messages ----------------------------------------------------------------------

function tell(text, button) {
  const message = byId("message");
  message.replaceChildren(text, ...(button ? [button] : []));
  message.hidden = !text;
}

function complain(error) {
  tell(error.message || String(error));
}

async function tellWhatIsKnown(window) {
  const message = byId("message");
  let least = 1;
  if (3 * (window.end - window.start) > about.at_once) {
    const asked = tracks.map(({pair, signal}) => api.known(pair, signal, window));
    least = Math.min(1, ...(await Promise.all(asked)).map(({share}) => share));
  }
  if (least === 1) {
    if (message.dataset.about === "known") tell("");
    return;
  }
  message.dataset.about = "known";
  const button = document.createElement("button");
  button.type = "button";
  button.id = "compute";
  button.textContent = "Compute all of it";
  button.onclick = () => computeAll(window).catch(complain);
  tell(
    `A window this wide is not computed as you look: ${Math.floor(100 * least)} % of it is known. ` +
    "Zoom in, or have it computed.", button);
}

async function computeAll(window) {
  for (const signal of new Set(tracks.map((track) => track.signal))) {
    const pairs = tracks.filter((track) => track.signal === signal).map((track) => track.pair);
    await api.compute(pairs, signal, window);
    for (;;) {
      const {running, share, error} = await api.computing();
      if (error) throw new Error(error);
      tell(`Computing: ${Math.floor(100 * share)} %`);
      if (!running) break;
      await new Promise((done) => setTimeout(done, 400));
    }
  }
  byId("message").dataset.about = "known";
  await redraw();
}

async function redraw() {
  for (const view of browser.trackViews) {
    if (view.track.featureSource?.track) view.clearCachedFeatures();
  }
  await browser.updateViews(true);
  moved();
}

// ---- tracks ------------------------------------------------------------------------

// Add tracks; those that cannot be added are told, the others are drawn together.
async function add(...asked) {
  const told = await Promise.allSettled(asked.map(({pair}) => api.describe(pair)));
  const made = [];
  const faults = [];
  told.forEach(({value, reason}, i) => {
    const {signal} = asked[i];
    const fault = reason?.message || whyNot(value, signal);
    if (fault) faults.push(fault);
    else made.push(choose(value, signal));
  });
  showChosen();
  await browser.loadTrackList(made.flatMap((track) => igvTracks(track, about.signals)));
  moved();
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
  if (faults.length) throw new Error(faults.slice(0, 3).join("; ") + more);
}

function whyNot({pair}, signal) {
  if (!(signal in about.signals)) return `there is no signal ${signal}`;
  if (tracks.some((track) => track.pair === pair && track.signal === signal)) {
    return `${pair} is shown already`;
  }
  if (tracks.length >= about.most_pairs) {
    return `${pair} has no room: a page shows ${about.most_pairs} tracks`;
  }
  return "";
}

function choose(told, signal) {
  const color = COLORS[nextId % COLORS.length];
  const track = {...told, signal, color, id: `track-${nextId++}`};
  tracks.push(track);
  return track;
}

function remove(track) {
  tracks = tracks.filter((other) => other !== track);
  for (const what of ["signal", "peaks"]) {
    const view = browser.trackViews.find((view) => view.track.id === `${track.id}-${what}`);
    if (view) browser.removeTrack(view.track);
  }
  showChosen();
  moved();
}

function showChosen() {
  byId("chosen").replaceChildren(...tracks.map((track) => {
    const item = document.createElement("li");
    item.style.borderLeftColor = track.color;
    const known = document.createElement("small");
    const ends = track.expected_auroc_interval;
    const around = ends ? ` (${ends.map((end) => end.toFixed(2)).join(" to ")})` : "";
    const auroc = track.expected_auroc === null
      ? "" : `, AUROC about ${track.expected_auroc.toFixed(2)}${around}`;
    const signal = track.signal === "probability" ? "" : `${track.signal}, `;
    known.textContent = `${signal}${track.status}${auroc}`;
    known.title = track.status === "trained"
      ? `The model was trained on measured sites of this pair; the AUROC is that on ${about.test_sites}.`
      : "Never measured: the AUROC is what to expect by what is known of the TF and the cell line; nine of ten lie within the brackets.";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "×";
    button.title = `Remove ${track.pair}`;
    button.onclick = () => remove(track);
    item.append(`${track.tf} ${track.cell}`, known, button);
    return item;
  }));
}

// ---- controls ----------------------------------------------------------------------

function fill(id, values) {
  byId(id).replaceChildren(...values.map((value) => new Option(value, value)));
}

function onSubmit(id, work) {
  byId(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      tell("");
      delete byId("message").dataset.about;
      await work();
    } catch (error) {
      complain(error);
    }
  });
}

async function compare() {
  variant = byId("change").value.trim();
  const found = await showVariant(variant, [...new Set(tracks.map((track) => track.pair))]);
  if (!found) return;
  const middle = found.start;
  await browser.search(locusOf({chrom: found.chrom, start: Math.max(0, middle - 1000), end: middle + 1000}));
  browser.clearROIs();
  await browser.loadROI([{
    name: found.variant, color: "rgba(213,94,0,0.35)",
    features: [{chr: found.chrom, start: middle, end: middle + found.ref.length, name: found.variant}],
  }]);
}

function listen() {
  onSubmit("add", () =>
    add({pair: `${byId("tf").value}:${byId("cell").value}`, signal: byId("signal").value}));
  onSubmit("variant", compare);
  byId("svg").onclick = () =>
    api.save(new Blob([browser.toSVG()], {type: "image/svg+xml"}), "tracks.svg");
  byId("png").onclick = () => browser.savePNGtoFile("tracks.png");
  byId("link").onclick = async () => {
    writeState(locusOf(view()), tracks, variant);
    await navigator.clipboard.writeText(location.href);
    tell("Copied: the address restores this view while the server runs with the same genome.");
  };
  byId("format").onchange = async (event) => {
    const format = event.target.value;
    event.target.value = "";
    try {
      await api.download([...new Set(tracks.map((track) => track.pair))], view(), format);
    } catch (error) {
      complain(error);
    }
  };
  browser.on("locuschange", moved);
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
  const halo = about.halo ? `, seen with ${about.halo} bp on either side` : "";
  byId("about").textContent =
    `Model ${about.model}, by ${about.basis}, genome ${about.genome}, a tile of ${about.tile} bp every ${about.stride} bp${halo}. ` +
    (about.basis === "sequence"
      ? "A score is the probability that the TF binds a tile, learned from as many bound as unbound sites: compare places within a track."
      : "A score is the share of open-chromatin tiles alike that the TF binds; a pair's own track does not count.") +
    " TFImpute: Qin and Feng 2017, doi:10.1371/journal.pcbi.1005403. Drawn by igv.js.";
  const state = readState();
  const open = (locus) => igv.createBrowser(byId("igv"), {
    loadDefaultGenomes: false,
    reference: {
      id: about.build || "genome", name: about.genome, wholeGenomeView: false,
      fastaURL: "genome.fa", indexURL: "genome.fa.fai",
    },
    tracks: about.has_genes ? [GENES()] : [],
    // Names of genes are looked up in that track and nowhere else.
    locus, search: false, showChromosomeWidget: true, showSVGButton: false,
  });
  try {
    browser = await open(state.locus || about.locus);
  } catch (error) {
    byId("igv").replaceChildren();
    browser = await open(about.locus);
    complain(new Error(`cannot go to ${state.locus}; showing ${about.locus}`));
  }
  listen();
  if (state.tracks.length) await add(...state.tracks).catch(complain);
  if (state.variant) {
    byId("change").value = state.variant;
    await compare();
  }
  window.page = {browser, add, tracks: () => tracks}; // for whoever drives the page by program
  document.body.dataset.ready = "yes";
}

start().catch(complain);
