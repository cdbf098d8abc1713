// The last review that succeeded, and the current places of its findings: the text may have changed since then.

import { moved } from "./edits.js";
import * as editor from "./editor.js";

export let review = null;
let reviewed = []; // the lines that it reviewed

export function set(answer, lines) {
  review = answer;
  if (lines) reviewed = lines;
}

export const isCurrent = () => Boolean(review) && reviewed.join("\n") === editor.text().join("\n");

let places = { now: null, at: new Map() };

// Return the current lines of a finding or stage, or null. If the first line has moved, it must occur only once.
export function placeOf({ line, end_line }) {
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

// Return the edits of a finding for the current text, or none if they no longer fit.
export function editsOf(finding) {
  const place = placeOf(finding);
  return place ? moved(finding.edits, place.line - finding.line, reviewed, editor.text()) : [];
}
