// What is written, kept in this browser. Each tab has a copy of its own, so that two tabs never overwrite each other;
// a new tab can take over the copy of another one.

const KEPT = "dockerfile-review";
const MOST = 5; // copies

// Not kept across reloads: a duplicated tab starts with the session of its original.
const own = `${KEPT}:${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
let last = { words: "", at: 0 };

function parse(kept) {
  try {
    const { dockerfile, dockerignore, none, at } = JSON.parse(kept);
    const text = (value) => (typeof value === "string" ? value : "");
    const texts = { dockerfile: text(dockerfile), dockerignore: text(dockerignore), none: none === true };
    return { texts, at: Number(at) || 0 };
  } catch {
    return null;
  }
}

// Whether the texts could be kept: storage can be full or forbidden.
export function keep(texts) {
  const words = JSON.stringify(texts);
  if (words !== last.words) last = { words, at: Date.now() };
  try {
    const kept = JSON.stringify({ ...texts, at: last.at, key: own });
    sessionStorage.setItem(KEPT, kept);
    if (texts.dockerfile || texts.dockerignore) localStorage.setItem(own, kept);
    else localStorage.removeItem(own);
    for (const { key } of copies().slice(MOST)) localStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}

// Keep texts that are being replaced, one of each tab: a reload forgets how to undo that.
export function setAside(texts) {
  if (!texts.dockerfile && !texts.dockerignore) return;
  try {
    localStorage.setItem(`${own}.`, JSON.stringify({ ...texts, at: Date.now() }));
  } catch {
    // It can still be undone.
  }
}

// The texts of this tab before it was reloaded, or null.
export function restore() {
  try {
    const kept = sessionStorage.getItem(KEPT);
    const { texts, at } = parse(kept);
    // It is kept again under the new key. The session of a duplicated tab names the key of its original.
    const [{ type }] = performance.getEntriesByType("navigation");
    if (type !== "navigate") localStorage.removeItem(JSON.parse(kept).key);
    last = { words: JSON.stringify(texts), at };
    return texts;
  } catch {
    return null;
  }
}

function copies() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${KEPT}:`));
  return keys.map((key) => ({ key, ...(parse(localStorage.getItem(key)) ?? { at: 0 }) })).sort((a, b) => b.at - a.at);
}

// The copies of other tabs, closed ones too: the newest first, each text once.
export function others() {
  try {
    const different = new Map();
    for (const { key, texts, at } of copies()) {
      if (key !== own && texts) different.set(JSON.stringify(texts), { texts, at });
    }
    return [...different.values()];
  } catch {
    return [];
  }
}
