// The view in the URL: the part after # restores it.

export function readState() {
  const state = new URLSearchParams(location.hash.slice(1));
  const tracks = (state.get("tracks") || "").split(",").filter(Boolean).map((text) => {
    const [tf, cell, signal] = text.split(":");
    return {pair: `${tf}:${cell}`, signal: signal || "probability"};
  });
  return {
    locus: state.get("locus"), tracks,
    rank: state.get("rank") || "", variant: state.get("variant") || "",
  };
}

export function writeState(locus, tracks, rank, variant) {
  const names = tracks.map(({pair, signal}) =>
    signal === "probability" ? pair : `${pair}:${signal}`);
  const state = new URLSearchParams();
  if (locus) state.set("locus", locus);
  if (names.length) state.set("tracks", names.join(","));
  if (rank) state.set("rank", rank);
  if (variant) state.set("variant", variant);
  history.replaceState(null, "", `#${state.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`);
}
