// What the server answers. A wrong request comes back as an Error with its one line.

async function ask(path, values = {}, options = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) query.append(name, one);
  }
  const response = await fetch(`api/${path}?${query}`, options);
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    throw new Error(told.error || `the server answered ${response.status}`);
  }
  return response;
}

const json = async (...what) => (await ask(...what)).json();

export const about = () => json("about");
export const describe = (pair) => json("pair", {pair});
export const known = (pair, signal, window) => json("known", {pair, signal, ...window});
export const peaks = (pair, window) => json("peaks", {pair, ...window});
export const variant = (variant, pair) => json("variant", {variant, pair});
export const genes = (window) => json("genes", window);
export const find = (name) => json("find", {name});
export const computing = () => json("computing");
export const compute = (pair, signal, window) =>
  json("compute", {pair, signal, ...window}, {method: "POST"});

export async function signal(pair, signal, window, bp_per_pixel, how) {
  const response = await ask("signal", {pair, signal, ...window, bp_per_pixel, how});
  const number = (name) => Number(response.headers.get(name));
  return {
    start: number("x-start"),
    width: number("x-width"),
    values: new Float32Array(await response.arrayBuffer()),
  };
}

export async function download(pair, window, format) {
  const response = await ask("download", {pair, ...window, format});
  const name = /filename="(.*)"/.exec(response.headers.get("content-disposition"))[1];
  save(await response.blob(), name);
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
