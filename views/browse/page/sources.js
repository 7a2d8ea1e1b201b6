// Feature sources of igv.js: signals, peaks and genes from the server.

import * as api from "./api.js";

// Colors of Okabe and Ito, distinct for the color-blind; without yellow and black.
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"];

export class SignalSource {
  constructor(track) {
    this.track = track;
    this.windowFunctions = ["max", "mean"];
  }

  supportsWholeGenome() {
    return false;
  }

  async getFeatures({chr, start, end, bpPerPixel, windowFunction}) {
    const window = {chrom: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end)};
    const summary = windowFunction === "mean" ? "mean" : "max";
    const {pair, signal} = this.track;
    const {start: first, step, values} =
      await api.signal(pair, signal, window, bpPerPixel || 1, summary);
    const features = [];
    values.forEach((value, i) => {
      if (!Number.isNaN(value)) {
        const start = first + i * step;
        features.push({chr, start, end: start + step, value});
      }
    });
    return features;
  }
}

export class PeakSource {
  constructor(track) {
    this.track = track;
  }

  supportsWholeGenome() {
    return false;
  }

  async getFeatures({chr, start, end}) {
    const window = {chrom: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end)};
    const found = await api.peaks(this.track.pair, window);
    return found.peaks.map(([start, end, summit, score]) => ({
      chr, start, end, score: Math.round(1000 * Math.sqrt(score)), name: score.toPrecision(3),
      "probability at the summit": score.toPrecision(4), summit: summit + 1,
    }));
  }
}

export class MeasuredSource {
  constructor(track) {
    this.track = track;
  }

  supportsWholeGenome() {
    return false;
  }

  async getFeatures({chr, start, end}) {
    const window = {chrom: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end)};
    const {peaks} = await api.measured(this.track.pair, window);
    return peaks.map(([start, end]) => ({chr, start, end, name: "measured"}));
  }
}

export class GeneSource {
  supportsWholeGenome() {
    return false;
  }

  async getFeatures({chr, start, end}) {
    const window = {chrom: chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end)};
    const genes = await api.genes(window);
    return genes.map(({name, start, end, strand, exons}) => ({
      chr, start, end, name, strand, exons: exons.map(([start, end]) => ({start, end})),
    }));
  }
}

// The axis of all tracks of a signal: wide enough for each of them.
export function sharedAxis(signal, tracks) {
  const axes = tracks.filter((track) => track.signal === signal).map((track) => track.axes[signal]);
  return {min: Math.min(...axes.map(([low]) => low)), max: Math.max(...axes.map(([, high]) => high))};
}

// The tracks of igv.js that show a pair.
export function igvTracks(track, tracks) {
  const {min, max} = sharedAxis(track.signal, tracks);
  const label = track.signal === "probability" ? "" : ` ${track.signal}`;
  const name = `${track.tf} ${track.cell}${label}`;
  const shown = {
    id: `${track.id}-signal`, name, type: "wig", format: "bigwig",
    featureSource: new SignalSource(track), color: track.color,
    altColor: "#7f7f7f", min, max, height: 70, summarize: false, windowFunction: "max",
  };
  const own = `${track.tf} ${track.cell}`;
  const measured = track.measured_tracks ? [{
    id: `${track.id}-measured`, name: `${own} measured`, type: "annotation", format: "bed",
    featureSource: new MeasuredSource(track), color: "#4a5660", displayMode: "COLLAPSED",
    height: 24, autoHeight: false, visibilityWindow: -1,
  }] : [];
  // Peaks are called on the probability, so they are shown with it only.
  if (track.signal !== "probability") return [shown, ...measured];
  shown.guideLines = [{y: track.threshold, color: "#5b6975", dotted: true}];
  const peaks = {
    id: `${track.id}-peaks`, name: `${own} peaks`, type: "annotation",
    format: "narrowpeak", featureSource: new PeakSource(track), color: track.color,
    displayMode: "COLLAPSED", height: 24, autoHeight: false, visibilityWindow: -1,
  };
  return [shown, peaks, ...measured];
}
