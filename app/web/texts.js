// The texts of the Dockerfile and its .dockerignore. The browser's own undo can take back their replacements.

import { button, tell } from "./elements.js";

const MOST_LINES = 2000; // in one step: in Chromium, the time grows quadratically, to seconds

const $ = (id) => document.getElementById(id);
export const dockerfile = $("dockerfile");
export const dockerignore = $("dockerignore");
export const none = $("none");

let replaced = () => {}; // called after each replacement with the previous texts
let writing = false;
let last = null; // the last replacement: the texts `before` and `after` it, and the fields that the browser can undo
let undone = false; // the last replacement was undone and can be redone
let fresh = false; // nothing was typed since then, so the usual keys undo it completely

export const written = () => ({ dockerfile: dockerfile.value, dockerignore: dockerignore.value, none: none.checked });

export const same = (a, b) =>
  a.dockerfile === b.dockerfile && a.dockerignore === b.dockerignore && a.none === b.none;

export const whenReplaced = (action) => (replaced = action);

const isHigh = (letter) => /[\ud800-\udbff]/.test(letter);

// Write the text into the field, but only the part that differs. Return whether the browser can undo that.
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
    // execCommand is deprecated, but nothing else lets the browser undo a change. Chromium needs seconds to insert a
    // hundred lines as text, but not as HTML. Firefox does not support HTML in a field.
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
  // Write the Dockerfile last, so that it keeps the focus.
  for (const [field, text] of [[dockerignore, texts.dockerignore], [dockerfile, texts.dockerfile]]) {
    if (field.value !== text && write(field, text)) fields.push(field);
  }
  none.checked = texts.none;
  return fields;
}

// Do not treat the input events of these changes as typing.
function quietly(action) {
  writing = true;
  const top = dockerfile.scrollTop;
  try {
    return action();
  } finally {
    writing = false;
    dockerfile.scrollTop = top;
    // On a phone, the keyboard would cover the page.
    if (matchMedia("(pointer: coarse)").matches) document.activeElement.blur();
  }
}

export const isTyping = () => !writing;

// Set the texts when the page opens. This cannot be undone.
export function start(texts) {
  dockerfile.value = texts.dockerfile;
  dockerignore.value = texts.dockerignore;
  none.checked = texts.none;
}

// Replace the texts and show the message. If `whole`, continue to offer the previous texts while the user types.
export function replace(texts, words, whole = true) {
  const before = written();
  const fields = quietly(() => writeAll(texts));
  // Read the fields, because they normalize line endings.
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

// Let the undo and redo keys apply to a whole replacement, including the .dockerignore.
export function onKey(event) {
  const key = event.key.toLowerCase();
  if (!fresh || !(event.ctrlKey || event.metaKey) || event.altKey || event.target.type === "text") return;
  if (key !== "z" && !(key === "y" && event.ctrlKey)) return;
  if ((key === "y" || event.shiftKey) !== undone) return;
  event.preventDefault();
  swap();
}

// Show a message above the editor, with Undo if it is about the last replacement, and with other buttons.
export function notify(words, undoable = false, actions = []) {
  const notice = $("loaded");
  notice.hidden = false;
  tell(notice.firstElementChild, words);
  $("undo").hidden = !undoable;
  $("undo").textContent = undone ? "Redo" : "Undo";
  $("offers").replaceChildren(...actions.map(({ text, action }) => button(text, action)));
}

// After typing, remove the outdated message, but continue to offer the other text of the last replacement.
export function retire() {
  fresh = false;
  const other = last?.whole && (undone ? last.after : last.before);
  if (other && (other.dockerfile || other.dockerignore) && !same(other, written())) {
    notify(undone ? "The text that you undid is not lost." : "Your previous text is not lost.", true);
  } else {
    $("loaded").hidden = true;
  }
}
