// The page: has the Dockerfile reviewed while it is written, lists what is found, and keeps what was written.
// Addresses are relative, for a proxy that serves the app under a prefix.

import * as editor from "./editor.js";
import { SEVERITIES, button, count, inLines, make, number, prose, snippet } from "./elements.js";
import { picture } from "./stages.js";

const DEBOUNCE = 250; // ms after the last key
const PATIENCE = 300; // ms until waiting is worth a word
const LONG = 10_000; // ms until it is worth another try
const LARGEST_FILE = 2 ** 20; // bytes; the server takes less, and says so
const MOST_FINDINGS = 1000; // the server names no more
const KEPT = "dockerfile-review"; // in localStorage

const $ = (id) => document.getElementById(id);
const dockerfile = $("dockerfile");
const dockerignore = $("dockerignore");
const none = $("none");
const findings = $("findings");

let rules = new Map(); // by id
let review = null; // the last one that succeeded
let reviewed = []; // the lines that it is about: the text may be another one by now
let problem = null; // why the last try did not: {headline, detail}, with a line or again
let entries = []; // what is listed: findings, or rules while there are none
let listed = ""; // the same as text, to see whether it changed
let open = -1; // the entry whose detail is shown
let undo = null; // what was there before an example or a file
let undone = false; // and after it was had again: then it is done again
let failed = false; // what the notice says: the server did not answer
let fresh = false; // nothing was typed since: the usual keys undo that, too

// Asking for reviews

let turn = 0; // of the newest question: an older one's answer is nobody's any more
let asking = new AbortController();
let timer;

function post(accept, signal) {
  const told = dockerignore.value || none.checked;
  const body = { dockerfile: dockerfile.value, ...(told && { dockerignore: dockerignore.value }) };
  const headers = { Accept: accept, "Content-Type": "application/json" };
  return fetch("api/reviews", { method: "POST", headers, body: JSON.stringify(body), signal });
}

function askSoon() {
  clearTimeout(timer);
  timer = setTimeout(ask, DEBOUNCE);
}

async function ask() {
  clearTimeout(timer);
  keep();
  asking.abort();
  asking = new AbortController();
  const mine = ++turn;
  const settle = (...answer) => mine === turn && show(...answer);
  if (!dockerfile.value.trim()) return settle(null, null);
  const lines = editor.text();
  const patience = setTimeout(() => tell($("explanation"), "Reviewing…"), PATIENCE);
  // It is waited for all the same: a late answer is better than none.
  const long = setTimeout(() => settle(review, trouble("The server takes long")), LONG);
  try {
    const response = await post("application/json", asking.signal);
    const answer = await response.json().catch(noJson);
    if (!response.ok || !answer) return settle(review, refusal(response.status, answer ?? {}));
    if (mine === turn) reviewed = lines;
    return settle(answer, null);
  } catch {
    return settle(review, trouble("The server does not answer"));
  } finally {
    clearTimeout(patience);
    clearTimeout(long);
  }
}

// A proxy's page, say. What breaks off is something else.
function noJson(error) {
  if (error instanceof SyntaxError) return null;
  throw error;
}

const trouble = (headline) => ({
  headline,
  detail: "Nothing is lost, and it is asked again as you type.",
  again: true,
});

function refusal(status, { title, detail, line, request_id }) {
  if (!detail) return trouble(`The server answered with status ${status}`);
  if (status === 413) {
    const [, bytes] = detail.match(/(\d+) bytes/) ?? [];
    const most = number.format(Math.floor(bytes / 1024));
    return { headline: "Too large to be reviewed", detail: bytes ? `It may have ${most} KiB at most.` : detail };
  }
  if (status === 422) {
    // Beyond a limit there is nothing to be finished.
    const unfinished = line && !/^line \d+: (a line of )?more than /.test(detail);
    return { headline: `This cannot be reviewed${unfinished ? " yet" : ""}`, detail, line };
  }
  return { headline: title, detail: `${detail} (request ${request_id})`, again: true };
}

let later;

async function fetchRules() {
  clearTimeout(later);
  try {
    const response = await fetch("api/rules");
    rules = new Map((await response.json()).map((rule) => [rule.id, rule]));
    // Unless the first review is under way: it shows them.
    if (review || problem || !dockerfile.value.trim()) show(review, problem);
  } catch {
    // Findings are told without them.
    later = setTimeout(fetchRules, LONG);
  }
}

// Showing the answer

function show(answer, trouble) {
  review = answer;
  problem = trouble;
  if (failed && review && !problem) retire();
  summarise();
  list();
  mark();
  drawStages();
  if (review && !rules.size) fetchRules();
}

// Where what was reviewed is now: where it was, else where its first line stands, if it does only once. Else null.
let places = { now: null, at: new Map() };

function placeOf({ line, end_line }) {
  const now = editor.text();
  const text = reviewed[line - 1];
  if (now[line - 1] === text) return { line, end_line };
  if (places.now !== now) {
    places = { now, at: new Map() };
    now.forEach((other, index) => places.at.set(other, places.at.has(other) ? 0 : index + 1));
  }
  const start = places.at.get(text);
  return start ? { line: start, end_line: start + end_line - line } : null;
}

function goTo(entry, focus) {
  const place = placeOf(entry);
  if (place) editor.goTo(place, focus);
  else editor.highlight(null);
}

function mark() {
  if (problem?.line) return editor.mark([{ line: problem.line, end_line: problem.line, severity: "error" }]);
  const placed = (review?.findings ?? []).map((finding) => ({ severity: finding.severity, ...placeOf(finding) }));
  return editor.mark(placed.filter(({ line }) => line));
}

// Changed only where the words are others: a screen reader reads again what is written again.
function tell(element, words, ...nodes) {
  if (element.dataset.words === words) return;
  element.dataset.words = words;
  element.replaceChildren(...(nodes.length ? nodes : [words]));
}

function summarise() {
  const say = (name, headline, explanation) => {
    tell($("summary"), headline, make("span", { class: name }, headline));
    tell($("explanation"), explanation);
  };
  $("export").hidden = !review || Boolean(problem);
  $("remedy").hidden = !problem?.line && !problem?.again;
  $("remedy").replaceChildren();
  if (problem) {
    const lines = { line: problem.line, end_line: problem.line };
    say("mark error", problem.headline, problem.detail);
    if (problem.line) $("remedy").append(button(`Go to line ${problem.line}`, () => editor.goTo(lines, true)));
    if (problem.again) $("remedy").append(button("Try again", tryAgain));
  } else if (!review) {
    say("", "Paste a Dockerfile", "Or type, drop or open one: it is reviewed as you write.");
  } else {
    const size = `${count(editor.lineCount(), "line")}, ${count(review.stages.length, "stage")}`;
    if (!review.findings.length) {
      const ignored = review.ignored ? `; ${count(review.ignored, "finding")} ignored, with a reason` : "";
      const looked = rules.size ? `${count(rules.size, "rule")} looked at ` : "In ";
      return say("mark good", "Nothing to change", `${looked}${size}${ignored}.`);
    }
    const present = Object.keys(SEVERITIES).filter((severity) => review.counts[severity]);
    const words = present.map((severity) => count(review.counts[severity], ...SEVERITIES[severity]));
    const comma = (index) => (index < words.length - 1 ? "," : "");
    const marks = words.map((word, index) => make("span", { class: `mark ${present[index]}` }, word + comma(index)));
    tell($("summary"), words.join(", "), ...marks);
    const rest = `; the first ${count(MOST_FINDINGS, "finding")} are listed`;
    tell($("explanation"), `in ${size}${review.findings.length < MOST_FINDINGS ? "" : rest}`);
  }
}

// The button goes: its focus goes to the text.
function tryAgain() {
  dockerfile.focus();
  ask();
}

// The rules as entries, the gravest first.
function wanted() {
  const order = Object.keys(SEVERITIES);
  const all = [...rules.values()].map(({ id, severity, title }) => ({ rule: id, severity, message: title }));
  return all.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function list() {
  const found = review?.findings ?? [];
  const last = entries[open];
  entries = found.length || problem ? found : wanted();
  $("list-title").hidden = !entries.length || (found.length > 0 && !problem);
  const looked = review ? "Looked for, and not found" : "What is looked for";
  tell($("list-title"), found.length ? "From the last review that succeeded" : looked);
  const lines = entries.map((entry) => entry.line && placeOf(entry)?.line);
  const now = JSON.stringify([entries, lines, rules.size, Boolean(review)]);
  if (now === listed) return;
  listed = now;
  const focused = findings.contains(document.activeElement);
  open = -1;
  findings.replaceChildren(...entries.map(item));
  findings.hidden = !entries.length;
  findings.classList.toggle("rules", !found.length);
  // What was open is opened again, wherever it is now.
  const distance = (entry) => Math.abs(entry.line - last.line);
  const same = entries.filter((entry) => last?.line && entry.rule === last.rule && entry.message === last.message);
  const [again] = same.sort((a, b) => distance(a) - distance(b));
  if (again) toggle(entries.indexOf(again));
  editor.highlight(again?.line ? placeOf(again) : null);
  if (focused) findings.querySelector("[tabindex='0']")?.focus();
}

// Where it is now; of a line that is another by now there is no number to tell.
function numberOf(entry) {
  const place = placeOf(entry);
  const unseen = make("span", { class: "unseen" }, place ? "line " : "its line has changed");
  return make("span", { class: "number" }, unseen, place ? `${place.line}` : "");
}

function item(entry, index) {
  const { severity, line, message, rule } = entry;
  // Of a rule, once there is a review: that it found nothing.
  const [kind, name] = line || !review ? [severity, SEVERITIES[severity][0]] : ["good", "nothing found"];
  return make(
    "li",
    { class: severity },
    make(
      "button",
      { type: "button", class: "finding", "aria-expanded": false, tabindex: index ? -1 : 0, "data-index": index },
      make("span", { class: `mark ${kind}`, role: "img", "aria-label": name, title: name }),
      ...(line ? [numberOf(entry)] : []),
      make("span", { class: "said" }, ...prose(message)),
      make("span", { class: "rule" }, rule),
    ),
  );
}

const itemButton = (index) => findings.children[index]?.firstElementChild;

// One stop for the Tab key; the arrow keys go on from there.
function makeStop(element) {
  findings.querySelector(".finding[tabindex='0']").tabIndex = -1;
  element.tabIndex = 0;
}

function toggle(index) {
  const before = itemButton(open);
  before?.setAttribute("aria-expanded", false);
  before?.nextElementSibling.remove();
  open = open === index ? -1 : index;
  makeStop(itemButton(index));
  if (open === -1) return;
  itemButton(open).setAttribute("aria-expanded", true);
  itemButton(open).after(detail(entries[open]));
}

function detail(entry) {
  const rule = rules.get(entry.rule);
  const terms = make("dl");
  const add = (name, term, ...content) =>
    terms.append(make("div", { class: name }, make("dt", {}, term), make("dd", {}, ...content)));
  if (entry.fix) add("fix", "Instead", ...prose(entry.fix));
  if (rule) {
    add("why", "Why", ...prose(rule.why));
    add("wrong", "Wrong", snippet(rule.bad));
    add("right good", "Right", snippet(rule.good));
  }
  const element = make("div", { class: "detail" }, terms);
  const place = entry.line && placeOf(entry);
  if (place) element.append(button(`Go to ${inLines(place)}`, () => goTo(entry, true)));
  return element;
}

function choose(index) {
  toggle(index);
  // All of it into sight, and if that is too much, at least its beginning.
  for (const part of [...findings.children[index].children].reverse()) part.scrollIntoView({ block: "nearest" });
  if (open !== -1 && entries[open].line) goTo(entries[open], false);
  else editor.highlight(null);
}

function walk(event) {
  const here = Number(document.activeElement.dataset.index ?? NaN);
  const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: entries.length - 1 };
  const next = itemButton(steps[event.key]);
  if (Number.isNaN(here) || !next) return;
  event.preventDefault();
  makeStop(next);
  next.focus();
}

function chooseFromGutter({ target }) {
  const line = Number(target.closest("[data-line]")?.dataset.line);
  const index = entries.findIndex((entry) => entry.line && placeOf(entry)?.line === line);
  if (index === -1) return;
  if (open !== index) choose(index);
  itemButton(index).focus();
}

let drawn = "";

function drawStages() {
  const stages = review?.stages ?? [];
  const width = $("picture").clientWidth || document.body.clientWidth;
  const now = JSON.stringify([stages, review?.findings, width]);
  $("stages").hidden = !stages.length;
  $("stages").classList.toggle("old", Boolean(problem));
  $("stages-old").hidden = !problem;
  if (now === drawn || !stages.length) return;
  drawn = now;
  const go = ({ line }) => goTo({ line, end_line: line }, true);
  const { svg, items } = picture(stages, review.findings, width, go);
  $("picture").replaceChildren(svg);
  $("words").replaceChildren(...items);
}

// What was written: kept, replaced, given back

const written = () => ({ dockerfile: dockerfile.value, dockerignore: dockerignore.value, none: none.checked });

function write(texts) {
  dockerfile.value = texts.dockerfile;
  dockerignore.value = texts.dockerignore;
  none.checked = texts.none;
  dockerfile.scrollTop = 0;
  changed();
}

function changed() {
  editor.read();
  mark();
  if (entries[open]?.line) editor.highlight(placeOf(entries[open]));
  if (dockerignore.value) none.checked = false;
  $("clear").hidden = !dockerfile.value && !dockerignore.value;
  none.disabled = dockerignore.value !== "";
  dockerignore.placeholder = none.checked ? "There is none" : "Left empty, nothing is said about it";
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(written()));
    tell($("kept"), "Your text is saved in this browser, and sent to this server only to be reviewed.");
  } catch {
    // Full, or forbidden: then it is not kept.
    tell($("kept"), "Your text is sent to this server only to be reviewed.");
  }
}

function restore() {
  try {
    const texts = JSON.parse(localStorage.getItem(KEPT));
    const text = (value) => (typeof value === "string" ? value : "");
    write({ dockerfile: text(texts.dockerfile), dockerignore: text(texts.dockerignore), none: texts.none === true });
  } catch {
    changed();
  }
}

function notify(words, before) {
  undo = before;
  failed = false;
  $("loaded").hidden = false;
  tell($("loaded").firstElementChild, words);
  $("undo").textContent = undone ? "Redo" : "Undo";
  $("undo").hidden = !undo;
}

// What was told is true no more. What was there before can be had all the same.
function retire() {
  if (undo?.dockerfile || undo?.dockerignore) notify("What was here before is not lost.", undo);
  else $("loaded").hidden = true;
  failed = false;
}

function replace(texts, words, back = false) {
  const before = written();
  undone = back;
  write(texts);
  notify(words, before);
  fresh = true;
  ask();
}

const swap = () => replace(undo, undone ? "Done again." : "Undone.", !undone);

async function example(name, words, beside) {
  const read = async (suffix) => {
    const response = await fetch(`examples/${name}.${suffix}`);
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  };
  try {
    const texts = { dockerfile: await read("Dockerfile"), dockerignore: beside ? await read("dockerignore") : "" };
    replace({ ...texts, none: !beside }, words);
  } catch {
    notify("The example could not be fetched: the server does not answer.", undo);
    failed = true;
  }
}

// The text of a file, or an error that says why there is none.
async function textOf(file) {
  const objection = (words) => new Error(`${file.name} ${words}`);
  if (file.size > LARGEST_FILE) throw objection("is too large for a Dockerfile.");
  const bytes = await file.arrayBuffer().catch(() => null);
  if (!bytes) throw objection("cannot be read: it is a folder, or gone.");
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw objection("is not UTF-8: save it as UTF-8 text first.");
  }
  if (text.includes("\0")) throw objection("is no text.");
  return text;
}

async function take(files) {
  const texts = written();
  const names = {}; // of the last file of each kind: that one is taken
  const twice = new Set();
  try {
    for (const file of files) {
      const text = await textOf(file);
      const kind = /\.dockerignore$/i.test(file.name) ? "dockerignore" : "dockerfile";
      if (kind in names) twice.add(kind === "dockerfile" ? "one Dockerfile" : "one .dockerignore");
      names[kind] = file.name;
      texts[kind] = text;
      if (kind === "dockerignore") texts.none = text === "";
    }
  } catch (error) {
    return notify(error.message, undo);
  }
  const more = twice.size ? `; ${[...twice].join(" and ")} at a time` : "";
  return replace(texts, `Opened ${Object.values(names).join(" and ")}${more}.`);
}

// Taking the review elsewhere

async function reviewAs(type) {
  const response = await post(type);
  if (!response.ok || !response.headers.get("Content-Type").startsWith(type)) throw new Error(`this is no ${type}`);
  return response.blob();
}

async function report(element, words, action) {
  element.textContent = await action().then(
    () => words,
    () => "That did not work.",
  );
  setTimeout(() => (element.textContent = ""), 4000);
}

// A promise of the text will do: some browsers let a click copy only while it is being handled.
const copy = async (text) => navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);

async function download() {
  const address = URL.createObjectURL(await reviewAs("application/sarif+json"));
  make("a", { href: address, download: "Dockerfile.sarif" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Putting it together

for (const field of [dockerfile, dockerignore]) {
  field.addEventListener("input", ({ inputType }) => {
    changed();
    fresh = false;
    retire();
    if (inputType === "insertFromPaste") ask();
    else askSoon();
  });
}
none.addEventListener("change", () => {
  changed();
  retire();
  ask();
});
const on = (id, action) => $(id).addEventListener("click", action);
on("example-card", () => example("card", "This is the design card's Dockerfile.", false));
on("example-project", () => example("project", "These are this project's Dockerfile and .dockerignore.", true));
on("open", () => $("files").click());
on("clear", () => {
  replace({ dockerfile: "", dockerignore: "", none: false }, "Cleared.");
  dockerfile.focus(); // the button is gone
});
on("undo", swap);
on("gutter", chooseFromGutter);
on("findings", ({ target }) => {
  const index = target.closest(".finding")?.dataset.index;
  if (index) choose(Number(index));
});
findings.addEventListener("keydown", walk);
addEventListener("keydown", (event) => {
  if (!fresh || event.key.toLowerCase() !== "z" || event.shiftKey !== undone) return;
  if (!(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  swap();
});
$("files").addEventListener("change", async () => {
  await take($("files").files);
  $("files").value = ""; // so that the same file can be opened again
});

const address = new URL("api/reviews", document.baseURI);
$("curl").textContent = `curl --data-binary @Dockerfile --header 'Accept: text/plain' ${address}`;
const curl = () => copy(new Blob([$("curl").textContent], { type: "text/plain" }));
on("copy-curl", () => report($("curl-copied"), "Copied.", curl));
on("copy-text", () => report($("exported"), "Copied.", () => copy(reviewAs("text/plain"))));
on("download", () => report($("exported"), "Saved as Dockerfile.sarif.", download));

const dropping = document.body.classList;
addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  dropping.add("dropping");
});
addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || dropping.remove("dropping"));
addEventListener("drop", (event) => {
  dropping.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
addEventListener("online", ask);
addEventListener("pagehide", keep);
new ResizeObserver(() => {
  editor.measure();
  drawStages();
}).observe(dockerfile);

editor.measure();
restore();
ask();
fetchRules();
