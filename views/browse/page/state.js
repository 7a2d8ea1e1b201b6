// The view as an address: what stands behind the # restores it.

export function readState() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const tracks = (asked.get("tracks") || "").split(",").filter(Boolean).map((text) => {
    const [tf, cell, signal] = text.split(":");
    return {pair: `${tf}:${cell}`, signal: signal || "probability"};
  });
  return {locus: asked.get("locus"), tracks, variant: asked.get("variant") || ""};
}

export function writeState(locus, tracks, variant) {
  const named = tracks.map(({pair, signal}) =>
    signal === "probability" ? pair : `${pair}:${signal}`);
  const asked = new URLSearchParams();
  if (locus) asked.set("locus", locus);
  if (named.length) asked.set("tracks", named.join(","));
  if (variant) asked.set("variant", variant);
  history.replaceState(null, "", `#${asked.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`);
}
