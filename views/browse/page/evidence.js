// The badge: which evidence scores use, and what it is good for.

import {byId, counted, element} from "./words.js";

const two = (value) => value.toFixed(2);

export function showEvidence({evidence, genome, build}, chrom) {
  const {name, tracks, chroms, available, accuracy} = evidence;
  const has_data = chroms.includes(chrom);
  const assembly = evidence.build || build;
  const state = !name ? "off" : has_data ? "on" : "elsewhere";
  const label = {
    on: `Evidence: ${name}${assembly ? ` (${assembly})` : ""}`,
    elsewhere: `No evidence on ${chrom}`,
    off: "Sequence only",
  }[state];
  byId("evidence").dataset.state = state;
  byId("evidence").querySelector("summary").textContent = label;
  const texts = [];
  if (name) {
    texts.push(`Scores use the sequence and ${counted(tracks, "measured track")} of ${name}` +
      `${assembly ? `, assembly ${assembly}` : ""}. A pair's own peaks are never used for it.`);
    if (!has_data) texts.push(`${name} has no data for ${chrom}: scores here use the sequence only.`);
  } else {
    texts.push(`No measured tracks are used with ${genome}. Sequence does not show where ` +
      "chromatin is open in a cell line.");
  }
  if (accuracy) {
    const {sequence, evidence, sites} = accuracy;
    const figures = ([auroc, precision]) => `AUROC ${two(auroc)}, average precision ${two(precision)}`;
    texts.push(`With evidence: ${figures(evidence)}. From sequence only: ${figures(sequence)}. ` +
      `Means of measured pairs on ${sites}.`);
  }
  texts.push(name ? "To switch it off, start `browse` with --evidence none."
    : available ? `To use ${available}, start \`browse\` without --evidence none.`
    : "To get evidence of this genome, see `tfimpute-tracks evidence --help`.");
  byId("evidence-text").replaceChildren(...texts.map((text) => element("p", {}, text)));
}

// Esc, or a click elsewhere, closes it.
export function listenToEvidence() {
  const badge = byId("evidence");
  document.addEventListener("click", ({target}) => {
    if (!badge.contains(target)) badge.open = false;
  });
  badge.addEventListener("keydown", ({key}) => {
    if (key !== "Escape") return;
    badge.open = false;
    badge.querySelector("summary").focus();
  });
}
