// Keep the texts in this browser. Each tab has its own copy, so that tabs never overwrite each other. A new tab can
// continue with the copy of another one.

const KEPT = "dockerfile-review";
const MOST = 5; // copies

// A new key after each load, because a duplicated tab starts with the session of the original.
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

// Keep the texts. Return false if that fails: storage can be full or forbidden.
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

// Keep the texts that are being replaced, once for each tab, because after a reload this cannot be undone.
export function setAside(texts) {
  if (!texts.dockerfile && !texts.dockerignore) return;
  try {
    localStorage.setItem(`${own}.`, JSON.stringify({ ...texts, at: Date.now() }));
  } catch {
    // The replacement can still be undone.
  }
}

// Return the texts of this tab before a reload, or null.
export function restore() {
  try {
    const kept = sessionStorage.getItem(KEPT);
    const { texts, at } = parse(kept);
    // Remove the old copy, because the new key replaces it. But in a duplicated tab, it belongs to the original.
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

// Return the copies of other tabs, including closed ones: the newest first, each text once.
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
