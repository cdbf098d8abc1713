// What the other scripts build with: elements, lines of a Dockerfile in colour, words for numbers and severities.
// Text enters the document as text, never as markup.

export const SEVERITIES = { error: ["error", "errors"], warning: ["warning", "warnings"], info: ["note", "notes"] };

export const worst = (findings) =>
  Object.keys(SEVERITIES).find((severity) => findings.some((finding) => finding.severity === severity));

export function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function button(text, action) {
  const element = make("button", { type: "button" }, text);
  element.addEventListener("click", action);
  return element;
}

const number = new Intl.NumberFormat("en");

export const count = (amount, one, many = `${one}s`) => `${number.format(amount)} ${amount === 1 ? one : many}`;

export const inLines = ({ line, end_line }) => (line === end_line ? `line ${line}` : `lines ${line} to ${end_line}`);

// `code` between backticks, as the rules write it.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

// One of these lines in colour: a comment, or an instruction's first word where it is not the rest of another one.
export function coloured(lines, index) {
  const line = lines[index];
  if (/^\s*#/.test(line)) return [make("span", { class: "comment" }, line)];
  const [, indent, word] = /\\\s*$/.test(lines[index - 1]) ? [] : (line.match(/^(\s*)([A-Za-z]+)(?=\s|$)/) ?? []);
  if (!word) return [line];
  const rest = line.slice(indent.length + word.length);
  const parts = /^from$/i.test(word) ? rest.split(/(\s+as\s+)/i) : [rest];
  const words = parts.map((part, place) => (place % 2 ? make("span", { class: "keyword" }, part) : part));
  return [indent, make("span", { class: "keyword" }, word), ...words];
}

export function snippet(text) {
  const lines = text.trimEnd().split("\n");
  const parts = lines.flatMap((_, index) => [...coloured(lines, index), "\n"]);
  return make("pre", { tabindex: 0 }, make("code", {}, ...parts.slice(0, -1)));
}
