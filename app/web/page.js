// The page: has the Dockerfile reviewed while it is written, lists what is found, and keeps what was written.
// Addresses are relative, for a proxy that serves the app under a prefix.

import * as editor from "./editor.js";
import { SEVERITIES, button, count, inLines, make, prose, snippet } from "./elements.js";
import { picture } from "./stages.js";

const DEBOUNCE = 250; // ms after the last key
const PATIENCE = 300; // ms until waiting is worth a word
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
let problem = null; // why the last try did not: {headline, detail}, with a line or again
let entries = []; // what is listed: findings, or rules while there are none
let listed = ""; // the same as text, to see whether it changed
let open = -1; // the entry whose detail is shown
let undo = null; // what was there before an example or a file
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
  const patience = setTimeout(() => tell($("explanation"), "Reviewing…"), PATIENCE);
  try {
    const response = await post("application/json", asking.signal);
    const answer = await response.json();
    return response.ok ? settle(answer, null) : settle(review, refusal(response.status, answer));
  } catch {
    const detail = "Nothing is lost, and it is asked again as you type.";
    return settle(review, { headline: "The server does not answer", detail, again: true });
  } finally {
    clearTimeout(patience);
  }
}

function refusal(status, { title, detail, line, request_id }) {
  if (status === 413) return { headline: "Too large to be reviewed", detail };
  if (status === 422) return { headline: "This cannot be reviewed yet", detail, line };
  return { headline: title, detail: `${detail} (request ${request_id})`, again: true };
}

async function fetchRules() {
  try {
    const response = await fetch("api/rules");
    rules = new Map((await response.json()).map((rule) => [rule.id, rule]));
    // Unless the first review is under way: it shows them.
    if (review || problem || !dockerfile.value.trim()) show(review, problem);
  } catch {
    // Findings are told without them; the next review asks again.
  }
}

// Showing the answer

function show(answer, trouble) {
  review = answer;
  problem = trouble;
  summarise();
  list();
  if (problem?.line) editor.mark([{ line: problem.line, end_line: problem.line, severity: "error" }]);
  else editor.mark(review?.findings ?? []);
  drawStages();
  if (review && !rules.size) fetchRules();
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
    if (problem.again) $("remedy").append(button("Try again", ask));
  } else if (!review) {
    say("", "Paste a Dockerfile", "Or type, drop or open one: it is reviewed as you write.");
  } else {
    const size = `${count(editor.lineCount(), "line")}, ${count(review.stages.length, "stage")}`;
    if (!review.findings.length) {
      const ignored = review.ignored ? `; ${count(review.ignored, "finding")} ignored, with a reason` : "";
      return say("mark good", "Nothing to change", `${count(rules.size, "rule")} looked at ${size}${ignored}.`);
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
  const now = JSON.stringify([entries, rules.size, Boolean(review)]);
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
  editor.highlight(again ?? null);
  if (focused) findings.querySelector("[tabindex='0']")?.focus();
}

function item({ severity, line, message, rule }, index) {
  // Of a rule, once there is a review: that it found nothing.
  const [kind, name] = line || !review ? [severity, SEVERITIES[severity][0]] : ["good", "nothing found"];
  return make(
    "li",
    { class: severity },
    make(
      "button",
      { type: "button", class: "finding", "aria-expanded": false, tabindex: index ? -1 : 0, "data-index": index },
      make("span", { class: `mark ${kind}`, role: "img", "aria-label": name, title: name }),
      ...(line ? [make("span", { class: "number" }, `${line}`)] : []),
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
  if (entry.line) element.append(button(`Go to ${inLines(entry)}`, () => editor.goTo(entry, true)));
  return element;
}

function choose(index) {
  toggle(index);
  // All of it into sight, and if that is too much, at least its beginning.
  for (const part of [...findings.children[index].children].reverse()) part.scrollIntoView({ block: "nearest" });
  if (open !== -1 && entries[open].line) editor.goTo(entries[open], false);
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
  const index = entries.findIndex((entry) => entry.line === line);
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
  if (now === drawn || !stages.length) return;
  drawn = now;
  const go = ({ line }) => editor.goTo({ line, end_line: line }, true);
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
  $("clear").hidden = !dockerfile.value && !dockerignore.value;
  none.disabled = dockerignore.value !== "";
  dockerignore.placeholder = none.checked ? "There is none" : "Left empty, nothing is said about it";
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(written()));
  } catch {
    // Full, or forbidden: then it is not kept.
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
  $("loaded").hidden = false;
  $("loaded").firstElementChild.textContent = words;
  $("undo").hidden = !undo;
}

function replace(texts, words) {
  const before = written();
  write(texts);
  notify(words, before);
  fresh = true;
  ask();
}

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
  }
}

async function take(files) {
  const texts = written();
  const names = [];
  for (const file of files) {
    // A folder cannot be read; what holds a zero byte is no text.
    const text = file.size > LARGEST_FILE ? "\0" : await file.text().catch(() => "\0");
    if (text.includes("\0")) return notify(`${file.name} is no Dockerfile: it is too large, or no text.`, undo);
    if (/\.dockerignore$/i.test(file.name)) Object.assign(texts, { dockerignore: text, none: text === "" });
    else texts.dockerfile = text;
    names.push(file.name);
  }
  return replace(texts, `Opened ${names.join(" and ")}.`);
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
    if (inputType === "insertFromPaste") ask();
    else askSoon();
  });
}
none.addEventListener("change", () => {
  changed();
  ask();
});
const on = (id, action) => $(id).addEventListener("click", action);
on("example-card", () => example("card", "This is the design card's Dockerfile.", false));
on("example-project", () => example("project", "These are this project's Dockerfile and .dockerignore.", true));
on("open", () => $("files").click());
on("clear", () => replace({ dockerfile: "", dockerignore: "", none: false }, "Cleared."));
on("undo", () => replace(undo, "Undone."));
on("gutter", chooseFromGutter);
on("findings", ({ target }) => {
  const index = target.closest(".finding")?.dataset.index;
  if (index) choose(Number(index));
});
findings.addEventListener("keydown", walk);
addEventListener("keydown", (event) => {
  if (!fresh || event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  replace(undo, "Undone.");
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
