// Requests to the server. A wrong request throws an Error with the server's message.

async function request(path, values = {}, options = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const item of [value].flat()) query.append(name, item);
  }
  const response = await fetch(`api/${path}?${query}`, options).catch(() => {
    throw new Error("the server does not answer; is `tfimpute-tracks browse` still running?");
  });
  if (!response.ok) {
    const {error} = await response.clone().json().catch(() => ({}));
    throw new Error(error || (await response.text()) || `the server answered with status ${response.status}`);
  }
  return response;
}

// Answers can come out of order. Each call of what this returns starts a turn, and gives
// a function that says whether no later turn has started.
export function turns() {
  let newest = 0;
  return () => {
    const own = ++newest;
    return () => own === newest;
  };
}

const json = async (...parts) => (await request(...parts)).json();

export const about = () => json("about");
export const describe = (pair) => json("pair", {pair});
export const computed = (pair, signal, window) =>
  json("computed", {pair, signal, ...window});
export const peaks = (pair, window) => json("peaks", {pair, ...window});
export const measured = (pair, window) => json("measured", {pair, ...window});
export const rank = (by, name, window) => json("rank", {[by]: name, ...window});
export const changes = ({by, name}, variant) => json("changes", {[by]: name, variant});
export const variant = (variant, pair) => json("variant", {variant, pair});
export const genes = (window) => json("genes", window);
export const locate = (text) => json("locate", {text});
export const progress = () => json("progress");
export const compute = (pair, signal, window) =>
  json("compute", {pair, signal, ...window}, {method: "POST"});

export async function signal(pair, signal, window, bp_per_pixel, summary) {
  const values = {pair, signal, ...window, bp_per_pixel, summary};
  const response = await request("signal", values);
  const number = (name) => Number(response.headers.get(name));
  return {
    start: number("x-start"),
    step: number("x-step"),
    values: new Float32Array(await response.arrayBuffer()),
  };
}

export async function download(pair, window, format) {
  const response = await request("download", {pair, ...window, format});
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
