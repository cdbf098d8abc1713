// Helpers for the other scripts: elements, colored lines of a Dockerfile, and words for numbers and severities.
// Text is always inserted as text, never as markup.

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

export const number = new Intl.NumberFormat("en");

export const count = (amount, one, many = `${one}s`) => `${number.format(amount)} ${amount === 1 ? one : many}`;

// Write only changes: a screen reader repeats what is written again.
export function tell(element, words, ...nodes) {
  if (element.dataset.words === words) return;
  element.dataset.words = words;
  element.replaceChildren(...(nodes.length ? nodes : [words]));
}

export const inLines = ({ line, end_line }) => (line === end_line ? `line ${line}` : `lines ${line} to ${end_line}`);

// Return the text with `code` between backticks as code.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

const INSTRUCTIONS = new Set(
  (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER " +
    "VOLUME WORKDIR"
  ).split(" "),
);
const HEREDOC = /(?<=\s)\d*<<(-?)(["']?)([^\s<"']+)\2(?=\s|$)/g;

// Return the kind of each line: "comment", "start" of an instruction, or "rest" of one, including heredocs.
export function kinds(lines) {
  const directives = lines.slice(0, lines.findIndex((line) => !/^\s*#\s*\w+\s*=/.test(line)));
  const backtick = directives.some((line) => /^\s*#\s*escape\s*=\s*`\s*$/i.test(line));
  const continued = backtick ? /`\s*$/ : /\\\s*$/;
  let inside = false; // the instruction continues
  let documents = false; // the instruction may have heredocs
  let ends = []; // the delimiters of open heredocs
  return lines.map((line) => {
    if (ends.length && !inside) {
      const [{ tabs, name }] = ends;
      if ((tabs ? line.replace(/^\t+/, "") : line) === name) ends.shift();
      return "rest";
    }
    if (/^\s*#/.test(line)) return "comment";
    const kind = inside ? "rest" : "start";
    if (!inside) documents = /^\s*(onbuild\s+)?(add|copy|run)\s/i.test(line);
    if (documents) for (const [, tabs, , name] of line.matchAll(HEREDOC)) ends.push({ tabs, name });
    inside = continued.test(line) || (inside && !line.trim());
    return kind;
  });
}

// Return the line with its comment or keywords in color.
export function colored(line, kind) {
  if (kind === "comment") return [make("span", { class: "comment" }, line)];
  const [, indent, word] = (kind === "start" && line.match(/^(\s*)([A-Za-z]+)(?=\s|$)/)) || [];
  if (!INSTRUCTIONS.has(word?.toUpperCase())) return [line];
  const rest = line.slice(indent.length + word.length);
  const parts = /^from$/i.test(word) ? rest.split(/(\s+as\s+)/i) : [rest];
  const words = parts.map((part, place) => (place % 2 ? make("span", { class: "keyword" }, part) : part));
  return [indent, make("span", { class: "keyword" }, word), ...words];
}

export function snippet(text) {
  const lines = text.trimEnd().split("\n");
  const kind = kinds(lines);
  const parts = lines.flatMap((line, index) => [...colored(line, kind[index]), "\n"]);
  return make("pre", { tabindex: 0 }, make("code", {}, ...parts.slice(0, -1)));
}
