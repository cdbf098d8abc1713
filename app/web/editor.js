// The editor: a textarea for the text; behind it the same text in colour, beside it numbers and marks. Only the lines
// in sight are drawn, so that the size of the text costs nothing.

import { coloured, kinds, make, worst } from "./elements.js";

const editor = document.getElementById("editor");
const field = document.getElementById("dockerfile");
const [numbers, texts] = editor.querySelectorAll(".rows");

let lines = [""];
let kind = ["start"]; // of each line, for its colours
let found = []; // what is marked: each with line, end_line and severity
let chosen = null; // what is highlighted: {line, end_line}
let first = 0; // the line in sight, from 0
let height = 0; // of a line, in pixels
let padding = 0;

export function measure() {
  const style = getComputedStyle(field);
  height = parseFloat(style.lineHeight);
  padding = parseFloat(style.paddingTop);
  paint();
}

// Called when the text has changed.
export function read() {
  lines = field.value.split("\n");
  kind = kinds(lines);
  numbers.parentElement.style.width = `${String(lines.length).length + 5}ch`;
  paint();
}

export const text = () => lines;

export const lineCount = () => lines.length - Number(lines.at(-1) === "");

export function mark(findings) {
  found = findings;
  paint();
}

export function highlight(range) {
  chosen = range;
  paint();
}

// Show these lines, highlighted; with `focus` put the cursor at their start, too.
export function goTo(range, focus) {
  const top = (range.line - 1) * height;
  const view = field.clientHeight - 2 * height;
  if (top < field.scrollTop || top > field.scrollTop + view) field.scrollTop = top - view / 3;
  if (focus) {
    const start = lines.slice(0, range.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    field.focus({ preventScroll: true });
    field.setSelectionRange(start, start);
    field.scrollLeft = 0;
    editor.scrollIntoView({ block: "nearest" });
  }
  highlight(range);
}

function paint() {
  first = Math.floor(field.scrollTop / height);
  const last = Math.min(lines.length, first + Math.ceil(field.clientHeight / height) + 1);
  const near = found.filter((finding) => finding.line <= last && finding.end_line > first);
  const rows = [];
  const marks = [];
  for (let line = first + 1; line <= last; line++) {
    const within = (range) => range && range.line <= line && line <= range.end_line;
    const here = near.filter(within);
    const names = within(chosen) ? ["chosen"] : [];
    const text = make("span", { class: "line" }, ...coloured(lines[line - 1], kind[line - 1]));
    rows.push(make("div", { class: names.join(" ") }, text));
    if (here.length) names.push("found", worst(here));
    if (here.some((finding) => finding.line === line)) names.push("first");
    marks.push(make("div", { class: names.join(" "), "data-line": line }, `${line}`));
  }
  numbers.replaceChildren(...marks);
  texts.replaceChildren(...rows);
  place();
}

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
// From here on the text behind is what is seen; without this script it is the textarea's own.
editor.classList.add("drawn");
