// The editor: a textarea. Behind it, the same text is drawn in color, with findings underlined, and next to it, line
// numbers and marks. Only visible lines are drawn, so that long texts are not slow.

import { colored, kinds, make, worst } from "./elements.js";

const editor = document.getElementById("editor");
const field = document.getElementById("dockerfile");
const [numbers, texts] = editor.querySelectorAll(".rows");

let lines = [""];
let kind = ["start"]; // of each line, for its color
let found = []; // the marked findings: {line, end_line, severity, message}
let chosen = null; // the highlighted lines: {line, end_line}
let first = 0; // the first visible line, from 0
let height = 0; // of a line, in pixels
let padding = 0;
let whole = false; // draw all lines, for printing

export function measure() {
  const style = getComputedStyle(field);
  height = parseFloat(style.lineHeight);
  padding = parseFloat(style.paddingTop);
  paint();
}

// Read the text after a change.
export function read() {
  lines = field.value.split("\n");
  kind = kinds(lines);
  numbers.parentElement.style.width = `${String(lines.length).length + 5}ch`;
  paint();
}

export const text = () => lines;

export const lineCount = () => lines.length - Number(lines.at(-1) === "");

// The line of the cursor.
export const cursor = () => field.value.slice(0, field.selectionStart).split("\n").length;

export function mark(findings) {
  found = findings;
  paint();
}

export function highlight(range) {
  chosen = range;
  paint();
}

// Show these lines, highlighted. With `focus`, also put the cursor at their start.
export function goTo(range, focus) {
  const top = (range.line - 1) * height;
  const view = field.clientHeight - 2 * height;
  if (top < field.scrollTop || top > field.scrollTop + view) field.scrollTop = top - view / 3;
  if (focus) {
    const start = lines.slice(0, range.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    // On a phone, the keyboard would cover the page.
    if (!matchMedia("(pointer: coarse)").matches) field.focus({ preventScroll: true });
    field.setSelectionRange(start, start);
    field.scrollLeft = 0;
    editor.scrollIntoView({ block: "nearest" });
  }
  highlight(range);
}

function paint() {
  first = whole ? 0 : Math.floor(field.scrollTop / height);
  const last = whole ? lines.length : Math.min(lines.length, first + Math.ceil(field.clientHeight / height) + 1);
  const near = found.filter((finding) => finding.line <= last && finding.end_line > first);
  const rows = [];
  const marks = [];
  for (let line = first + 1; line <= last; line++) {
    const within = (range) => range && range.line <= line && line <= range.end_line;
    const here = near.filter(within);
    const starting = here.filter((finding) => finding.line === line);
    const names = within(chosen) ? ["chosen"] : [];
    const text = colored(lines[line - 1], kind[line - 1]);
    rows.push(make("div", { class: names.join(" ") }, make("span", { class: "line" }, ...underlined(text, starting))));
    if (here.length) names.push("found", worst(here));
    if (starting.length) names.push("first");
    marks.push(make("div", { class: names.join(" "), "data-line": line }, `${line}`));
  }
  numbers.replaceChildren(...marks);
  texts.replaceChildren(...rows);
  place();
}

// Underline only the first line of a finding: a whole underlined instruction would be hard to read.
const underlined = (text, findings) =>
  findings.length ? [make("span", { class: `underlined ${worst(findings)}` }, ...text)] : text;

function place() {
  editor.style.setProperty("--top", `${padding + first * height - field.scrollTop}px`);
  editor.style.setProperty("--left", `${-field.scrollLeft}px`);
}

field.addEventListener(
  "scroll",
  () => {
    if (Math.floor(field.scrollTop / height) === first) place();
    else paint();
  },
  { passive: true },
);
field.addEventListener("mousemove", ({ offsetY }) => {
  const line = Math.floor((offsetY + field.scrollTop - padding) / height) + 1;
  const here = found.filter((finding) => finding.message && finding.line <= line && line <= finding.end_line);
  field.title = here.map(({ message }) => message.replaceAll("`", "")).join("\n");
});

// Paper does not scroll.
addEventListener("beforeprint", () => {
  whole = true;
  editor.style.setProperty("--whole", `${lines.length * height + 3 * padding}px`);
  field.scrollTop = 0;
  paint();
});
addEventListener("afterprint", () => {
  whole = false;
  paint();
});

// From now on, the drawn text is visible. Without this script, it is the text of the textarea.
editor.classList.add("drawn");
