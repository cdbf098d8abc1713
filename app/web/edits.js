// Edits of a text, as the reviewer returns them: where they apply, what they change, and the text afterwards.
// Lines and columns count from 1. Columns count code points, but JavaScript strings count UTF-16 units.

const compare = (line, column, otherLine, otherColumn) => line - otherLine || column - otherColumn;

const inOrder = (a, b) =>
  compare(a.line, a.column, b.line, b.column) ||
  compare(a.end_line, a.end_column, b.end_line, b.end_column) ||
  (a.text < b.text ? -1 : 1);

const touch = (a, b) =>
  compare(a.line, a.column, b.end_line, b.end_column) <= 0 && compare(b.line, b.column, a.end_line, a.end_column) <= 0;

export const shift = (edits, by) =>
  edits.map((edit) => ({ ...edit, line: edit.line + by, end_line: edit.end_line + by }));

// Return the text of the lines with the edits applied. The edits must not overlap.
export function apply(lines, edits) {
  const text = lines.join("\n");
  const starts = [0];
  for (const line of lines) starts.push(starts.at(-1) + line.length + 1);
  const offset = (line, column) => {
    const units = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
    return Math.min(starts[Math.min(line, starts.length) - 1] + units, text.length);
  };
  let result = "";
  let done = 0;
  for (const edit of edits.toSorted(inOrder)) {
    result += text.slice(done, offset(edit.line, edit.column)) + edit.text;
    done = offset(edit.end_line, edit.end_column);
  }
  return result + text.slice(done);
}

// Return the lists of edits that can be applied together, each completely or not at all.
export function together(lists) {
  const taken = [];
  return lists.filter((edits) => {
    const fits = edits.length > 0 && !edits.some((edit) => taken.some((other) => touch(edit, other)));
    if (fits) taken.push(...edits);
    return fits;
  });
}

// Return the edits of the reviewed lines for the lines `now`, shifted by `by`, or none if an edited line has changed.
export function moved(edits, by, reviewed, now) {
  const same = ({ line, end_line }) => {
    for (let at = line; at <= end_line; at++) if (reviewed[at - 1] !== now[at - 1 + by]) return false;
    return true;
  };
  return edits.every(same) ? shift(edits, by) : [];
}

// Return the changes for display: the line of each, the removed and the added lines, and the next line.
export function hunks(lines, edits) {
  const places = [];
  for (const edit of edits.toSorted(inOrder)) {
    const last = places.at(-1);
    if (last && edit.line <= last.end) {
      last.edits.push(edit);
      last.end = Math.max(last.end, edit.end_line);
    } else {
      places.push({ start: edit.line, end: edit.end_line, edits: [edit] });
    }
  }
  return places.map(({ start, end, edits: own }) => {
    const old = lines.slice(start - 1, end);
    const fresh = apply(old, shift(own, 1 - start)).split("\n");
    const shorter = Math.min(old.length, fresh.length);
    let above = 0;
    while (above < shorter && old[above] === fresh[above]) above++;
    let below = 0;
    while (below < shorter - above && old.at(-1 - below) === fresh.at(-1 - below)) below++;
    return {
      line: start + above,
      removed: old.slice(above, old.length - below),
      added: fresh.slice(above, fresh.length - below),
      next: lines[end - below],
    };
  });
}

// Return the edit that adds a comment above a line, so that the reviewer ignores the rule there.
export function ignore(lines, line, rule, reason) {
  const [indent] = lines[line - 1].match(/^\s*/);
  const text = `${indent}# review-ignore: ${rule} ${reason.trim().replace(/\s+/g, " ")}\n`;
  return { line, column: 1, end_line: line, end_column: 1, text };
}
