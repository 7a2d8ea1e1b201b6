// How the page writes numbers, and makes elements.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("aria-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...inside);
  return made;
}

// Replace the rows of a table, unless they are the same. The focus stays on the button
// with the same text, or at least in the table.
export function replaceRows(table, rows) {
  const [body] = table.tBodies;
  const own = document.createElement("tbody");
  own.append(...rows);
  if (own.innerHTML === body.innerHTML) return;
  const focused = body.contains(document.activeElement) ? document.activeElement.textContent : null;
  body.replaceChildren(...own.childNodes);
  if (focused === null) return;
  const same = [...body.querySelectorAll("button")].find((button) => button.textContent === focused);
  (same || table.parentElement).focus({preventScroll: true});
}

export const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

// A length: "850 bp", "61.2 kb", "3 Mb".
export function size(bp) {
  const [scale, unit] = bp < 1000 ? [1, "bp"] : bp < 1e6 ? [1e3, "kb"] : [1e6, "Mb"];
  const number = bp / scale;
  return `${Number(number.toFixed(number < 100 ? 1 : 0))} ${unit}`;
}

// A probability, to three places: few sites are bound, so small ones are common.
export const probability = (value) =>
  value === null ? "unknown" : value < 0.0005 ? "<0.001" : value.toFixed(3);

export const locusOf = ({chrom, start, end}) => `${chrom}:${start + 1}-${end}`;

export const readable = ({chrom, start, end}) =>
  `${chrom}:${(start + 1).toLocaleString("en")}-${end.toLocaleString("en")}`;

// The messages of the server begin in lower case; chr20:... stays as it is.
export const sentence = (text) =>
  text.replace(/^[a-z](?=[a-z]*[ ,])/, (first) => first.toUpperCase());
