// Opened or dropped files: select them by name, and read their text.

const LARGEST = 2 ** 20; // bytes; the server accepts less, and its error names the limit

const isIgnore = ({ name }) => /\.dockerignore$/i.test(name);
const isDockerfile = (file) =>
  /^(docker|container)file(\.|$)|\.(docker|container)file$/i.test(file.name) && !isIgnore(file);

// Return the Dockerfile and its .dockerignore, either of which may be missing, and the files left out. A single file is
// a Dockerfile, whatever its name is.
export function choose(files) {
  const all = [...files];
  const ignores = all.filter(isIgnore);
  const named = all.filter(isDockerfile);
  const alone = all.length === 1 && !ignores.length ? all[0] : undefined;
  const dockerfile = named.find(({ name }) => name === "Dockerfile") ?? named[0] ?? alone;
  // Docker prefers the one that is named after the Dockerfile.
  const find = (wanted) => ignores.find(({ name }) => name === wanted);
  const dockerignore =
    (dockerfile && find(`${dockerfile.name}.dockerignore`)) ??
    find(".dockerignore") ??
    (ignores.length === 1 ? ignores[0] : undefined);
  return { dockerfile, dockerignore, left: all.filter((file) => file !== dockerfile && file !== dockerignore) };
}

// Return the text of a file. Throws an error whose message can be shown.
export async function textOf(file) {
  const objection = (words) => new Error(`${file.name} ${words}`);
  if (file.size > LARGEST) throw objection("is too large for a Dockerfile.");
  const bytes = await file.arrayBuffer().catch(() => null);
  if (!bytes) throw objection("cannot be read. Is it a folder?");
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw objection("is not UTF-8. Save it as UTF-8 text first.");
  }
  if (text.includes("\0")) throw objection("is not a text file.");
  return text;
}
