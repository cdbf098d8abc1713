// The page: requests reviews while the user types, shows the results, and connects the other modules.
// URLs are relative, in case a proxy serves the app under a prefix.

import { apply, hunks, ignore, together } from "./edits.js";
import * as editor from "./editor.js";
import { SEVERITIES, button, count, make, number, tell } from "./elements.js";
import { choose, textOf } from "./files.js";
import * as findings from "./findings.js";
import * as link from "./link.js";
import { editsOf, isCurrent, placeOf, review, set } from "./review.js";
import { picture } from "./stages.js";
import { keep, others, restore, setAside } from "./storage.js";
import * as texts from "./texts.js";
import { dockerfile, dockerignore, none, notify, replace, same, written } from "./texts.js";

const DEBOUNCE = 250; // ms after the last key
const PATIENCE = 300; // ms until the page shows that it waits
const LONG = 10_000; // ms until it offers to try again
const FIRST_RETRY = 1000; // ms, doubled each time
const LONGEST_RETRY = 60_000; // ms
const MOST_RETRIES = 12; // about 8 minutes
const MOST_FINDINGS = 1000; // the server returns no more
const MOST_ROUNDS = 10; // of fixes: some can be applied only after others
const MOST_OFFERS = 3; // texts of other tabs

const $ = (id) => document.getElementById(id);

let rules = new Map(); // by id
let problem = null; // why the last request failed: {headline, detail}, and line, again or retry
let failed = false; // the message above the editor says that the server does not respond

// Requests

let turn = 0; // the number of the newest request: responses to older ones are ignored
let asking = new AbortController();
let timer;
let retries = 0;

function post(accept, { dockerfile, dockerignore, none }, signal) {
  const body = { dockerfile, ...((dockerignore || none) && { dockerignore }) };
  const headers = { Accept: accept, "Content-Type": "application/json" };
  return fetch("api/reviews", { method: "POST", headers, body: JSON.stringify(body), signal });
}

function askIn(delay) {
  clearTimeout(timer);
  timer = setTimeout(ask, delay);
}

function askNow() {
  retries = 0;
  return ask();
}

async function ask() {
  clearTimeout(timer);
  remember();
  asking.abort();
  asking = new AbortController();
  const mine = ++turn;
  const settle = (answer, trouble, lines) => {
    if (mine !== turn) return;
    set(answer, lines);
    problem = trouble;
    show();
    if (trouble?.retry) retry(trouble.after);
    else if (!trouble) retries = 0;
  };
  if (!dockerfile.value.trim()) return settle(null, null, []);
  const lines = editor.text();
  const waiting = () => retries || tell($("explanation"), "Reviewing…");
  const patience = setTimeout(waiting, PATIENCE);
  // Keep waiting: a late response is better than none.
  const long = setTimeout(() => settle(review, trouble("The server is slow to respond", "")), LONG);
  try {
    const response = await post("application/json", written(), asking.signal);
    const answer = await response.json().catch(noJson);
    if (response.ok && answer) return settle(answer, null, lines);
    return settle(review, refusal(response, answer ?? {}));
  } catch {
    return settle(review, { ...trouble("The server does not respond"), retry: true });
  } finally {
    clearTimeout(patience);
    clearTimeout(long);
  }
}

// Retry automatically, each time after twice as long, or after the seconds that the server asks for.
function retry(after = 0) {
  if (retries >= MOST_RETRIES) return;
  askIn(Math.min(LONGEST_RETRY, Math.max(after * 1000, FIRST_RETRY * 2 ** retries)));
  retries++;
}

// A proxy can respond with a page. All other errors are failures of the connection.
function noJson(error) {
  if (error instanceof SyntaxError) return null;
  throw error;
}

const trouble = (headline, more = " The page tries again automatically.") => ({
  headline,
  detail: `Your text is not lost.${more}`,
  again: true,
});

function refusal({ status, headers }, { title, detail, line, request_id }) {
  const temporary = [429, 502, 503, 504].includes(status);
  const next = { retry: temporary, after: Number(headers.get("Retry-After")) || 0 };
  if (!detail) return { ...trouble(`The server responded with status ${status}`, temporary ? undefined : ""), ...next };
  if (status === 413) {
    const [, bytes] = detail.match(/(\d+) bytes/) ?? [];
    const most = number.format(Math.floor(bytes / 1024));
    return { headline: "Too large to be reviewed", detail: bytes ? `The limit is ${most} KiB.` : detail };
  }
  if (status === 422) {
    // A text that exceeds a limit is not just unfinished.
    const unfinished = line && !/^line \d+: (a line of )?more than /.test(detail);
    return { headline: `This cannot be reviewed${unfinished ? " yet" : ""}`, detail, line };
  }
  return { headline: title, detail: `${detail} (request ${request_id})`, again: true, ...next };
}

let later;

async function fetchRules() {
  clearTimeout(later);
  try {
    const response = await fetch("api/rules");
    rules = new Map((await response.json()).map((rule) => [rule.id, rule]));
    // If the first review is on its way, it will show them.
    if (review || problem || !dockerfile.value.trim()) show();
  } catch {
    // The list of findings works without them.
    later = setTimeout(fetchRules, LONG);
  }
}

// Results

function show() {
  if (failed && review && !problem) {
    failed = false;
    texts.retire();
  }
  summarize();
  list();
  mark();
  drawStages();
  if (review && !rules.size) fetchRules();
}

const goTo = (entry) => {
  const place = placeOf(entry);
  if (place) editor.goTo(place, true);
  else editor.highlight(null);
};

function mark() {
  const { line, detail } = problem ?? {};
  if (line) return editor.mark([{ line, end_line: line, severity: "error", message: detail }]);
  const placed = (review?.findings ?? []).map((finding) => ({ ...finding, line: null, ...placeOf(finding) }));
  return editor.mark(placed.filter(({ line }) => line));
}

function summarize() {
  const say = (name, headline, explanation) => {
    tell($("summary"), headline, make("span", { class: name }, headline));
    tell($("explanation"), explanation);
  };
  const found = review?.findings ?? [];
  const unjudged = problem ? [] : (review?.unjudged ?? []);
  tell($("unjudged"), unjudged.join("\n"), ...unjudged.map((reason) => make("li", {}, reason)));
  $("unjudged-title").hidden = !unjudged.length;
  $("export").hidden = !dockerfile.value.trim();
  $("review-export").hidden = !review || Boolean(problem);
  $("copy-link").hidden = !link.supported || !review || Boolean(problem) || hasSecret();
  const safe = safeEdits(found.map((finding) => ({ ...finding, edits: editsOf(finding) }))).length;
  $("fix-all").hidden = !safe || Boolean(problem);
  $("remedy").hidden = !problem?.line && !problem?.again;
  $("remedy").replaceChildren();
  if (problem) {
    const lines = { line: problem.line, end_line: problem.line };
    say("mark error", problem.headline, problem.detail);
    if (problem.line) $("remedy").append(button(`Go to line ${problem.line}`, () => editor.goTo(lines, true)));
    if (problem.again) $("remedy").append(button("Try again", tryAgain));
  } else if (!review) {
    say("", "Paste a Dockerfile", "Or type, drop or open one. The page reviews it as you type.");
  } else {
    const size = `${count(editor.lineCount(), "line")}, ${count(review.stages.length, "stage")}`;
    if (!found.length) {
      const ignored = review.ignored ? `; ${count(review.ignored, "finding")} ignored, with a reason` : "";
      const checked = `Checked ${size}${rules.size ? ` against ${count(rules.size, "rule")}` : ""}${ignored}.`;
      if (unjudged.length) return say("mark partial", "No findings, but only partly checked", checked);
      return say("mark good", "Nothing to change", checked);
    }
    const present = Object.keys(SEVERITIES).filter((severity) => review.counts[severity]);
    const words = present.map((severity) => count(review.counts[severity], ...SEVERITIES[severity]));
    const comma = (index) => (index < words.length - 1 ? "," : "");
    const marks = words.map((word, index) => make("span", { class: `mark ${present[index]}` }, word + comma(index)));
    tell($("summary"), words.join(", "), ...marks);
    const rest = `; the list ends after ${count(MOST_FINDINGS, "finding")}`;
    tell($("explanation"), `in ${size}${found.length < MOST_FINDINGS ? "" : rest}`);
  }
}

const hasSecret = () => review.findings.some(({ rule }) => rule === "secret-in-image");

// The button disappears, so move the focus to the text.
function tryAgain() {
  dockerfile.focus();
  askNow();
}

function list() {
  const found = review?.findings ?? [];
  const complete = Boolean(review) && !problem && !review.unjudged.length;
  $("list-title").hidden = found.length ? !problem : Boolean(problem) || !rules.size;
  const looked = complete ? "Checked, and nothing found" : "The rules";
  tell($("list-title"), found.length ? "From the last review that succeeded" : looked);
  findings.show({ findings: found, rules: found.length || !problem ? rules : new Map(), complete });
}

let drawn = "";

function drawStages() {
  const stages = review?.stages ?? [];
  $("stages").hidden = !stages.length; // before its width is measured
  const width = $("picture").clientWidth;
  const now = JSON.stringify([stages, review?.findings, width]);
  $("stages").classList.toggle("old", Boolean(problem));
  $("stages-old").hidden = !problem;
  if (now === drawn || !stages.length) return;
  drawn = now;
  const go = ({ line }) => goTo({ line, end_line: line });
  const { svg, items } = picture(stages, review.findings, width, go);
  $("picture").replaceChildren(svg);
  $("words").replaceChildren(...items);
}

// Fixes

const safeEdits = (found) => together(found.filter(({ safe }) => safe).map(({ edits }) => edits)).flat();

function rewrite(text, words) {
  const after = text.split("\n");
  const line = 1 + editor.text().findIndex((before, index) => before !== after[index]);
  replace({ ...written(), dockerfile: text }, words, false);
  if (line) editor.goTo({ line, end_line: line }, true);
}

function fix(edits, { rule }) {
  const lines = editor.text();
  const at = hunks(lines, edits).map(({ line }) => line);
  rewrite(apply(lines, edits), `Fixed ${rule} on ${at.length > 1 ? "lines" : "line"} ${at.join(", ")}.`);
}

function ignoreHere({ rule, findings: found }, reason) {
  const lines = editor.text();
  const places = new Set(found.map((finding) => placeOf(finding)?.line).filter(Boolean));
  const edits = [...places].map((line) => ignore(lines, line, rule, reason));
  rewrite(apply(lines, edits), `${rule} is ignored, with your reason.`);
}

async function reviewOf(body) {
  const response = await post("application/json", body);
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

// Some fixes can be applied only after others, so review the text after each round. Write only the last text, so that
// one step undoes all of them.
async function fixAll() {
  const before = written();
  $("fix-all").disabled = true;
  try {
    let body = before;
    let answer = await reviewOf(body);
    const first = answer.findings.length;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const edits = safeEdits(answer.findings);
      if (!edits.length) break;
      body = { ...body, dockerfile: apply(body.dockerfile.split("\n"), edits) };
      answer = await reviewOf(body);
    }
    if (!same(before, written())) return notify("Your text has changed in the meantime. Nothing was fixed.");
    const left = answer.findings.length;
    return rewrite(body.dockerfile, `Fixed ${count(first - left, "finding")}. ${number.format(left)} left.`);
  } catch {
    return notify("The fixes could not be reviewed. Nothing has changed.");
  } finally {
    $("fix-all").disabled = false;
  }
}

// The texts: changed, kept, replaced

function changed() {
  editor.read();
  mark();
  findings.refresh();
  if (dockerignore.value) none.checked = false;
  $("clear").hidden = !dockerfile.value && !dockerignore.value;
  none.disabled = dockerignore.value !== "";
  dockerignore.placeholder = none.checked ? "It does not exist" : "Leave it empty to skip its rules";
}

function remember() {
  const kept = keep(written()) ? "saved in this browser, and " : "";
  tell($("kept"), `Your text is ${kept}sent to this server only for the review.`);
}

texts.whenReplaced((before, whole) => {
  if (whole) {
    dockerfile.scrollTop = 0;
    setAside(before);
  }
  changed();
  tellCommand();
  askNow();
});

function offerOthers() {
  const offers = others().slice(0, MOST_OFFERS);
  if (!offers.length) return;
  const actions = offers.map(({ texts: kept, at }) => {
    const lines = count(kept.dockerfile.split("\n").length, "line");
    const time = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    return { text: `${lines}, ${time}`, action: () => replace(kept, "This is your earlier text.") };
  });
  notify("Continue with a text that you wrote here before?", false, actions);
}

async function openLink() {
  if (!link.isLink(location.hash)) return;
  const { hash } = location;
  // Remove the link, so that a reload does not overwrite later changes.
  history.replaceState(null, "", location.pathname + location.search);
  try {
    replace(await link.decode(hash), "This text came with the link.");
  } catch {
    notify("This link is damaged or incomplete: ask for a new one.");
  }
}

async function example(name, words, beside) {
  const read = async (suffix) => {
    const response = await fetch(`examples/${name}.${suffix}`);
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  };
  try {
    const text = { dockerfile: await read("Dockerfile"), dockerignore: beside ? await read("dockerignore") : "" };
    replace({ ...text, none: !beside }, words);
  } catch {
    notify("The example could not be fetched: the server does not respond.");
    failed = true;
  }
}

async function take(files) {
  const { dockerfile: file, dockerignore: beside, left } = choose(files);
  const names = (taken) => taken.map(({ name }) => name).join(", ");
  if (!file && !beside) return notify(`These names are not those of a Dockerfile or a .dockerignore: ${names(left)}.`);
  const taken = written();
  try {
    if (file) taken.dockerfile = await textOf(file);
    if (beside) taken.dockerignore = await textOf(beside);
  } catch (error) {
    return notify(error.message);
  }
  if (beside) taken.none = taken.dockerignore === "";
  const rest = left.length ? ` Left out: ${names(left)}.` : "";
  return replace(taken, `Opened ${[file, beside].filter(Boolean).map(({ name }) => name).join(" and ")}.${rest}`);
}

// Export

async function reviewAs(type) {
  const response = await post(type, written());
  if (!response.ok || !response.headers.get("Content-Type").startsWith(type)) throw new Error(`this is not ${type}`);
  return response.blob();
}

async function report(element, words, action) {
  element.textContent = await action().then(
    () => words,
    (error) => error.forPeople ?? "That did not work.",
  );
  setTimeout(() => (element.textContent = ""), 4000);
}

// Pass a promise of the text: some browsers allow a copy only while they handle the click.
const copy = async (text) => navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);

const plain = (text) => new Blob([text], { type: "text/plain" });

async function download(blob, name) {
  const address = URL.createObjectURL(await blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Only a reviewed text is known to contain no secret.
async function linked() {
  if (!isCurrent() || problem) await ask();
  if (!isCurrent() || problem || hasSecret()) {
    const words = "A text that contains a secret or could not be reviewed gets no link.";
    throw Object.assign(new Error(), { forPeople: words });
  }
  return plain(new URL(await link.encode(written()), document.baseURI).href);
}

async function copyLink() {
  const text = linked();
  await copy(text).catch(async (error) => {
    await text; // its error says more
    throw error;
  });
}

const address = new URL("api/reviews", document.baseURI);

// Show the command that returns the same review in a terminal.
function tellCommand() {
  const request = `--header 'Accept: text/plain' ${address}`;
  const json = (arguments_) =>
    `jq --null-input --rawfile dockerfile Dockerfile ${arguments_} |\n` +
    `  curl --data-binary @- --header 'Content-Type: application/json' \\\n    ${request}`;
  let command = `curl --data-binary @Dockerfile ${request}`;
  if (none.checked) command = json(`'$ARGS.named + {dockerignore: ""}'`);
  if (dockerignore.value) command = json("--rawfile dockerignore .dockerignore '$ARGS.named'");
  $("curl").textContent = command;
}

// Events

findings.connect({ fix, ignore: ignoreHere });
for (const field of [dockerfile, dockerignore]) {
  field.addEventListener("input", ({ inputType }) => {
    if (!texts.isTyping()) return;
    retries = 0;
    changed();
    texts.retire();
    tellCommand();
    askIn(inputType === "insertFromPaste" ? 0 : DEBOUNCE);
  });
}
none.addEventListener("change", () => {
  changed();
  texts.retire();
  tellCommand();
  askNow();
});
const on = (id, action) => $(id).addEventListener("click", action);
on("example-card", () => example("card", "This is the design card's Dockerfile.", false));
on("example-project", () => example("project", "These are this project's Dockerfile and .dockerignore.", true));
on("open", () => $("files").click());
on("clear", () => {
  replace({ dockerfile: "", dockerignore: "", none: false }, "Cleared.");
  dockerfile.focus(); // the button is gone
});
on("undo", texts.swap);
on("fix-all", fixAll);
on("gutter", ({ target }) => findings.chooseLine(Number(target.closest("[data-line]")?.dataset.line)));
addEventListener("keydown", (event) => {
  texts.onKey(event);
  if (event.key !== "F8" || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  findings.step(event.shiftKey ? -1 : 1);
});
$("files").addEventListener("change", async () => {
  await take($("files").files);
  $("files").value = ""; // so that the same files can be opened again
});
on("copy-curl", () => report($("curl-copied"), "Copied.", () => copy(plain($("curl").textContent))));
on("copy-text", () => report($("exported"), "Copied.", () => copy(reviewAs("text/plain"))));
on("copy-dockerfile", () => report($("exported"), "Copied.", () => copy(plain(dockerfile.value))));
on("copy-link", () => report($("exported"), "Copied.", copyLink));
on("download", () =>
  report($("exported"), "Saved as Dockerfile.sarif.", () =>
    download(reviewAs("application/sarif+json"), "Dockerfile.sarif"),
  ),
);
on("download-dockerfile", () =>
  report($("exported"), "Saved as Dockerfile.", () =>
    download(new Blob([dockerfile.value], { type: "application/octet-stream" }), "Dockerfile"),
  ),
);

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
addEventListener("hashchange", openLink);
addEventListener("online", askNow);
document.addEventListener("visibilitychange", () => document.hidden || !problem?.retry || askNow());
addEventListener("pagehide", remember);
new ResizeObserver(() => {
  editor.measure();
  drawStages();
}).observe(dockerfile);

editor.measure();
const kept = restore();
if (kept) texts.start(kept);
changed();
tellCommand();
if (!kept?.dockerfile && !kept?.dockerignore && !link.isLink(location.hash)) offerOthers();
ask();
openLink();
fetchRules();
