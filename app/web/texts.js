// The Dockerfile and its .dockerignore: read, replaced in steps that the browser's own undo takes back, and announced.

import { button, tell } from "./elements.js";

const MOST_LINES = 2000; // in one step: Chromium's time grows with their square, to seconds

const $ = (id) => document.getElementById(id);
export const dockerfile = $("dockerfile");
export const dockerignore = $("dockerignore");
export const none = $("none");

let replaced = () => {}; // called after each replacement, with the texts before it
let writing = false;
let last = null; // replacement: the texts `before` and `after` it, and the fields that the browser can undo
let undone = false; // the last replacement was undone, so that it can be redone
let fresh = false; // nothing was typed since, so that the usual keys undo it as a whole

export const written = () => ({ dockerfile: dockerfile.value, dockerignore: dockerignore.value, none: none.checked });

export const same = (a, b) =>
  a.dockerfile === b.dockerfile && a.dockerignore === b.dockerignore && a.none === b.none;

export const whenReplaced = (action) => (replaced = action);

const isHigh = (letter) => /[\ud800-\udbff]/.test(letter);

// Write `text` into the field, only where it differs. Return whether the browser can undo that.
function write(field, text) {
  const before = field.value;
  const shorter = Math.min(before.length, text.length);
  let start = 0;
  while (start < shorter && before[start] === text[start]) start++;
  if (start && isHigh(before[start - 1])) start--;
  let rest = 0;
  while (rest < shorter - start && before.at(-1 - rest) === text.at(-1 - rest)) rest++;
  if (rest && isHigh(before.at(-1 - rest))) rest--;
  const part = text.slice(start, text.length - rest);
  let native = false;
  if (part.split("\n").length <= MOST_LINES) {
    field.focus({ preventScroll: true });
    field.setSelectionRange(start, before.length - rest);
    // Deprecated, and the only way to write into a field that the browser can undo. Chromium takes seconds for a
    // hundred lines of text, but not for the same as HTML. Firefox has no HTML in a field.
    const html = part.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    native = part
      ? document.execCommand("insertHTML", false, html) || document.execCommand("insertText", false, part)
      : document.execCommand("delete");
  }
  if (field.value !== text) {
    native = false;
    field.value = text;
  }
  field.setSelectionRange(start, start);
  return native;
}

function writeAll(texts) {
  const fields = [];
  // The Dockerfile last: it keeps the focus.
  for (const [field, text] of [[dockerignore, texts.dockerignore], [dockerfile, texts.dockerfile]]) {
    if (field.value !== text && write(field, text)) fields.push(field);
  }
  none.checked = texts.none;
  return fields;
}

// The input events of what the page writes are not typing.
function quietly(action) {
  writing = true;
  const top = dockerfile.scrollTop;
  try {
    return action();
  } finally {
    writing = false;
    dockerfile.scrollTop = top;
    // The keyboard of a phone would cover the page.
    if (matchMedia("(pointer: coarse)").matches) document.activeElement.blur();
  }
}

export const isTyping = () => !writing;

// What the fields hold when the page opens: nothing to undo.
export function start(texts) {
  dockerfile.value = texts.dockerfile;
  dockerignore.value = texts.dockerignore;
  none.checked = texts.none;
}

// Replace the texts, and say so. With `whole`, what was there before stays on offer while people type.
export function replace(texts, words, whole = true) {
  const before = written();
  const fields = quietly(() => writeAll(texts));
  // As the fields have it: they turn every line ending into one of their own.
  last = { before, after: written(), fields, whole };
  undone = false;
  fresh = true;
  notify(words, true);
  replaced(before, whole);
}

// Undo the last replacement, or redo it.
export function swap() {
  const now = written();
  const goal = undone ? last.after : last.before;
  quietly(() => {
    for (const field of fresh ? (undone ? last.fields : last.fields.toReversed()) : []) {
      field.focus({ preventScroll: true });
      document.execCommand(undone ? "redo" : "undo");
    }
    none.checked = goal.none;
    if (same(written(), goal)) return;
    writeAll(goal);
    last.fields = [];
  });
  Object.assign(last, undone ? { before: now } : { after: now });
  undone = !undone;
  fresh = true;
  notify(undone ? "Undone." : "Redone.", true);
  replaced(now, last.whole);
}

// The keys that undo and redo take back a replacement as a whole, the .dockerignore included.
export function onKey(event) {
  const key = event.key.toLowerCase();
  if (!fresh || !(event.ctrlKey || event.metaKey) || event.altKey || event.target.type === "text") return;
  if (key !== "z" && !(key === "y" && event.ctrlKey)) return;
  if ((key === "y" || event.shiftKey) !== undone) return;
  event.preventDefault();
  swap();
}

// Say something above the editor, with Undo if that is about the last replacement, and with further buttons.
export function notify(words, undoable = false, actions = []) {
  const notice = $("loaded");
  notice.hidden = false;
  tell(notice.firstElementChild, words);
  $("undo").hidden = !undoable;
  $("undo").textContent = undone ? "Redo" : "Undo";
  $("offers").replaceChildren(...actions.map(({ text, action }) => button(text, action)));
}

// After typing: what was said is no longer true, but the text on the other side of the replacement can still be had.
export function retire() {
  fresh = false;
  const other = last?.whole && (undone ? last.after : last.before);
  if (other && (other.dockerfile || other.dockerignore) && !same(other, written())) {
    notify(undone ? "The text that you undid is not lost." : "Your previous text is not lost.", true);
  } else {
    $("loaded").hidden = true;
  }
}
