// The list of findings, or of rules if there are none: its order, its filter, and the details of an entry.

import { hunks, together } from "./edits.js";
import * as editor from "./editor.js";
import { SEVERITIES, button, count, inLines, make, number, prose, snippet, tell } from "./elements.js";
import { editsOf, placeOf } from "./review.js";

const MOST_PLACES = 8; // buttons that go to the places of an entry
const EXCERPT = 5; // lines of a finding in its details

const $ = (id) => document.getElementById(id);
const list = $("findings");

let content = { findings: [], rules: new Map(), complete: false };
let actions = {}; // callbacks of the page: fix(edits, entry), ignore(entry, reason)
let entries = []; // the list: groups of equal findings, or rules
let listed = ""; // the list as JSON, to detect changes
let open = -1; // the index of the open entry
let drawn = ""; // what its details depend on, as JSON
let reason = null; // the reason to ignore the open entry, while it is being typed
const hidden = new Set(); // of severities

export const connect = (callbacks) => (actions = callbacks);

// `complete` means that there is a review, and that every rule could check the Dockerfile.
export function show(next) {
  content = next;
  update();
}

function update() {
  const last = entries[open];
  const groups = content.findings.length > 0;
  const all = groups ? grouped(content.findings) : wanted();
  entries = groups ? all.filter(({ severity }) => !hidden.has(severity)) : all;
  if (!groups || $("order").value === "worst") entries.sort((a, b) => rank(a) - rank(b));
  showTools(all);
  const lines = entries.map(({ findings }) => findings.map((finding) => placeOf(finding)?.line));
  const now = JSON.stringify([entries, lines, content.rules.size, content.complete]);
  if (now === listed) return refresh();
  listed = now;
  const focused = list.contains(document.activeElement);
  const wrote = document.activeElement.matches(".reason");
  const written = reason;
  open = -1;
  list.replaceChildren(...entries.map(item));
  list.hidden = !entries.length;
  list.classList.toggle("rules", !groups);
  // Open the same entry again, wherever it is now.
  const again = last?.findings.length ? nearest(last) : -1;
  if (again !== -1) toggle(again, written);
  if (open === -1) editor.highlight(null);
  else highlight();
  if (focused) list.querySelector(wrote && reason !== null ? ".reason" : "[tabindex='0']")?.focus();
}

const rank = ({ severity }) => Object.keys(SEVERITIES).indexOf(severity);

function grouped(findings) {
  const groups = new Map();
  for (const finding of findings) {
    const { rule, severity, message, fix } = finding;
    const key = JSON.stringify([rule, severity, message, fix]);
    if (!groups.has(key)) groups.set(key, { rule, severity, message, fix, findings: [] });
    groups.get(key).findings.push(finding);
  }
  return [...groups.values()];
}

const wanted = () =>
  [...content.rules.values()].map(({ id, severity, title }) => ({ rule: id, severity, message: title, findings: [] }));

// Return the index of the nearest entry with the same rule and message, or -1.
function nearest({ rule, message, findings: [{ line }] }) {
  const equal = entries.filter((entry) => entry.rule === rule && entry.message === message);
  const distance = ({ findings }) => Math.min(...findings.map((finding) => Math.abs(finding.line - line)));
  return entries.indexOf(equal.sort((a, b) => distance(a) - distance(b))[0]);
}

const placesOf = ({ findings }) => findings.map(placeOf).filter(Boolean);

// The order and the filter, if there is something to order

function showTools(all) {
  const present = Object.keys(SEVERITIES).filter((severity) => all.some((entry) => entry.severity === severity));
  $("tools").hidden = !content.findings.length;
  $("all-hidden").hidden = entries.length > 0 || !all.length;
  $("sorting").hidden = all.length < 2;
  $("filters").hidden = present.length < 2 && !present.some((severity) => hidden.has(severity));
  for (const filter of $("filters").children) {
    filter.hidden = !present.includes(filter.value);
    filter.setAttribute("aria-pressed", !hidden.has(filter.value));
  }
}

$("filters").append(
  ...Object.entries(SEVERITIES).map(([severity, [, many]]) => {
    const filter = button(many, () => {
      if (!hidden.delete(severity)) hidden.add(severity);
      update();
    });
    filter.value = severity;
    filter.className = `mark ${severity}`;
    return filter;
  }),
);
$("order").addEventListener("change", update);

// An entry

// The current number of the first line. A line that has changed has none.
function numberOf(entry) {
  const [place, ...more] = placesOf(entry);
  const unseen = make("span", { class: "unseen" }, place ? "line " : "its line has changed");
  return make("span", { class: "number" }, unseen, place ? `${place.line}` : "", more.length ? ` +${more.length}` : "");
}

function item(entry, index) {
  const { severity, message, rule, findings } = entry;
  const [kind, name] =
    findings.length || !content.complete ? [severity, SEVERITIES[severity][0]] : ["good", "nothing found"];
  return make(
    "li",
    { class: severity },
    make(
      "button",
      { type: "button", class: "finding", "aria-expanded": false, tabindex: index ? -1 : 0, "data-index": index },
      make("span", { class: `mark ${kind}`, role: "img", "aria-label": name, title: name }),
      ...(findings.length ? [numberOf(entry)] : []),
      make("span", { class: "said" }, ...prose(message)),
      make("span", { class: "rule" }, rule),
    ),
  );
}

const itemButton = (index) => list.children[index]?.firstElementChild;

// The list is one stop for the Tab key. The arrow keys move within it.
function makeStop(element) {
  list.querySelector(".finding[tabindex='0']").tabIndex = -1;
  element.tabIndex = 0;
}

function toggle(index, written = null) {
  const before = itemButton(open);
  before?.setAttribute("aria-expanded", false);
  before?.nextElementSibling.remove();
  open = open === index ? -1 : index;
  reason = open === -1 ? null : written;
  makeStop(itemButton(index));
  if (open === -1) return;
  itemButton(open).setAttribute("aria-expanded", true);
  itemButton(open).after(detail(entries[open]));
}

// Update the details after a change to the text: they show the change of a fix only if it still fits.
export function refresh() {
  if (open !== -1 && drawn !== dependencies(entries[open])) redraw();
  highlight();
}

function redraw() {
  const wrote = document.activeElement.matches(".reason");
  list.querySelector(".detail").replaceWith(detail(entries[open]));
  if (wrote) list.querySelector(".reason")?.focus();
}

function highlight() {
  const findings = entries[open]?.findings ?? [];
  if (findings.length) editor.highlight(placesOf(entries[open])[0] ?? null);
}

const fixOf = ({ findings }) => together(findings.map(editsOf));

const dependencies = (entry) => JSON.stringify([fixOf(entry), placesOf(entry), content.rules.size]);

// Show what to do, then why. If possible, show the user's own lines instead of the rule's example.
function detail(entry) {
  drawn = dependencies(entry);
  const rule = content.rules.get(entry.rule);
  const fixes = fixOf(entry);
  const edits = fixes.flat();
  const places = placesOf(entry);
  const terms = make("dl");
  const add = (name, term, ...parts) =>
    terms.append(make("div", { class: name }, make("dt", {}, term), make("dd", {}, ...parts)));
  if (places.length && !edits.length) add("excerpt", "Your text", excerpt(places[0]));
  if (entry.fix) add("fix", "Instead", ...prose(entry.fix));
  if (edits.length) add("change", "Change", diff(edits));
  if (rule) {
    add("why", "Why", ...prose(rule.why));
    if (!edits.length) {
      if (rule.dockerignore) add("beside", "With this .dockerignore", snippet(rule.dockerignore));
      add("wrong", "Wrong", snippet(rule.bad));
      add("right good", "Right", snippet(rule.good));
    }
  }
  const element = make("div", { class: "detail" }, terms);
  if (entry.findings.length) element.append(...doing(entry, fixes, places));
  element.append(make("a", { href: `rules/${encodeURIComponent(entry.rule)}` }, `About the rule ${entry.rule}`));
  return element;
}

const excerpt = ({ line, end_line }) =>
  snippet(editor.text().slice(line - 1, Math.min(end_line, line - 1 + EXCERPT)).join("\n"));

function diff(edits) {
  const rows = hunks(editor.text(), edits).flatMap(({ line, removed, added, next }) => {
    const row = (name, sign, at, text) =>
      make(name, {}, make("span", { class: "at" }, `${at}`.padStart(4)), ` ${sign} ${text}`);
    return [
      ...removed.map((text, index) => row("del", "-", line + index, text)),
      ...added.map((text) => row("ins", "+", "", text)),
      // The next line shows the place of an insertion.
      ...(removed.length || next === undefined ? [] : [row("span", " ", line, next)]),
    ];
  });
  return make("pre", { class: "diff", tabindex: 0 }, make("code", {}, ...rows));
}

function doing(entry, fixes, places) {
  const row = make("p", { class: "buttons" });
  if (fixes.length) {
    const name = fixes.length > 1 ? `Fix all ${fixes.length}` : "Fix this";
    const fix = button(name, () => actions.fix(fixes.flat(), entry));
    fix.className = "main";
    row.append(fix);
  }
  if (places.length && entry.rule !== "review-ignore") {
    row.append(button(places.length > 1 ? `Ignore all ${places.length} here…` : "Ignore here…", askReason));
  }
  for (const place of places.slice(0, MOST_PLACES)) {
    row.append(button(`Go to ${inLines(place)}`, () => editor.goTo(place, true)));
  }
  const rest = places.length - MOST_PLACES;
  if (rest > 0) row.append(make("span", { class: "fine" }, `and ${count(rest, "more place")}`));
  const parts = [row];
  if (fixes.length && !entry.findings.every(({ safe }) => safe)) {
    const words = "This fix can change what the image does. Check the change first.";
    parts.unshift(make("p", { class: "fine" }, words));
  }
  if (reason !== null) parts.push(reasonForm(entry));
  return parts;
}

function askReason() {
  if (reason === null) {
    reason = "";
    redraw();
  }
  list.querySelector(".reason").focus();
}

function reasonForm(entry) {
  const field = make("input", { type: "text", class: "reason", id: "reason", required: "", autocomplete: "off" });
  field.value = reason;
  field.addEventListener("input", () => (reason = field.value));
  const close = () => {
    reason = null;
    redraw();
    itemButton(open).focus();
  };
  const write = () => {
    if (!reason.trim()) return field.focus();
    const words = reason;
    reason = null;
    return actions.ignore(entry, words);
  };
  const form = make(
    "p",
    { class: "buttons ignoring" },
    make("label", { for: "reason" }, "Reason"),
    field,
    button("Ignore", write),
    button("Cancel", close),
  );
  // Not a form element: the content security policy forbids forms.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.target !== field) return;
    event.preventDefault(); // otherwise the text, which gets the focus, receives the key too
    write();
  });
  return form;
}

// Choosing

function choose(index) {
  toggle(index);
  // Scroll the whole entry into view, or at least its beginning.
  for (const part of [...list.children[index].children].reverse()) part.scrollIntoView({ block: "nearest" });
  const [place] = open === -1 ? [] : placesOf(entries[open]);
  if (place) editor.goTo(place, false);
  else editor.highlight(null);
}

// Open the entry of a line that was clicked in the gutter.
export function chooseLine(line) {
  const find = () => entries.findIndex((entry) => placesOf(entry).some((place) => place.line === line));
  if (find() === -1 && hidden.size) {
    hidden.clear();
    update();
  }
  const index = find();
  if (index === -1) return;
  if (open !== index) choose(index);
  itemButton(index).focus();
}

// Go from the cursor to the next finding in the text, or with -1 to the previous one, and announce it.
export function step(by) {
  const stops = entries
    .flatMap((entry, index) => placesOf(entry).map((place) => ({ index, place })))
    .sort((a, b) => a.place.line - b.place.line);
  if (!stops.length) return;
  const line = editor.cursor();
  const here = stops.findIndex(({ index, place }) => index === open && place.line === line);
  let next = here + by;
  if (here === -1 && by < 0) next = stops.findLastIndex(({ place }) => place.line < line);
  if (here === -1 && by > 0) next = Math.max(0, stops.findIndex(({ place }) => place.line >= line));
  const { index, place } = stops.at(next % stops.length);
  if (open !== index) toggle(index);
  list.children[index].scrollIntoView({ block: "nearest" });
  editor.goTo(place, true);
  const { severity, message } = entries[index];
  tell($("spoken"), `Line ${number.format(place.line)}, ${SEVERITIES[severity][0]}: ${message}`);
}

list.addEventListener("click", ({ target }) => {
  const index = target.closest(".finding")?.dataset.index;
  if (index) choose(Number(index));
});
list.addEventListener("keydown", (event) => {
  const here = Number(document.activeElement.dataset.index ?? NaN);
  const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: entries.length - 1 };
  const next = itemButton(steps[event.key]);
  if (Number.isNaN(here) || !next) return;
  event.preventDefault();
  makeStop(next);
  next.focus();
});
