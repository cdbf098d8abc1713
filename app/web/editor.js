// The editor: a textarea for the text. Behind it lies the same text in colour, underlined where something was found,
// and beside it are numbers and marks. Only the lines in sight are drawn, so that the size of the text costs nothing.

import { coloured, kinds, make, worst } from "./elements.js";

const editor = document.getElementById("editor");
const field = document.getElementById("dockerfile");
const [numbers, texts] = editor.querySelectorAll(".rows");

let lines = [""];
let kind = ["start"]; // of each line, for its colours
let found = []; // what is marked: each with line, end_line, severity and message
let chosen = null; // what is highlighted: {line, end_line}
let first = 0; // the line in sight, from 0
let height = 0; // of a line, in pixels
let padding = 0;
let whole = false; // all lines are drawn, to be printed

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
    // The keyboard of a phone would cover the page.
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
    const text = coloured(lines[line - 1], kind[line - 1]);
    rows.push(make("div", { class: names.join(" ") }, make("span", { class: "line" }, ...underlined(text, starting))));
    if (here.length) names.push("found", worst(here));
    if (starting.length) names.push("first");
    marks.push(make("div", { class: names.join(" "), "data-line": line }, `${line}`));
  }
  numbers.replaceChildren(...marks);
  texts.replaceChildren(...rows);
  place();
}

// The first line of what was found. A line under all of a long instruction would hide its text.
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

// On paper there is no scrolling.
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

// The text behind is what people see from now on. Without this script it is the textarea's own.
editor.classList.add("drawn");
