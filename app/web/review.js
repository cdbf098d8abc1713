// The last review that succeeded, and where what it is about stands now: the text may have changed since.

import { moved } from "./edits.js";
import * as editor from "./editor.js";

export let review = null;
let reviewed = []; // the lines that it is about

export function set(answer, lines) {
  review = answer;
  if (lines) reviewed = lines;
}

export const isCurrent = () => Boolean(review) && reviewed.join("\n") === editor.text().join("\n");

let places = { now: null, at: new Map() };

// The lines of a finding or stage: where they were, else where the first of them is, if it is there only once. Else
// null.
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

// The edits of a finding for the text as it is now: none if they do not fit it.
export function editsOf(finding) {
  const place = placeOf(finding);
  return place ? moved(finding.edits, place.line - finding.line, reviewed, editor.text()) : [];
}
