// A link that contains the texts. Browsers do not send the part after `#`, so no server receives it.

const PREFIX = "#text=";
const LARGEST = 2 ** 21; // bytes that a link may unpack to

export const supported = typeof CompressionStream === "function";

export const isLink = (hash) => hash.startsWith(PREFIX);

export async function encode(texts) {
  // The zlib format ends with a checksum.
  const packed = await through(new TextEncoder().encode(JSON.stringify(texts)), new CompressionStream("deflate"));
  const letters = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return PREFIX + btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// Throws if the link is damaged.
export async function decode(hash) {
  const letters = atob(hash.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const bytes = await through(packed, new DecompressionStream("deflate"));
  const { dockerfile, dockerignore, none } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof dockerfile !== "string" || typeof dockerignore !== "string") throw new TypeError("no texts");
  return { dockerfile, dockerignore, none: none === true };
}

async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > LARGEST) throw new RangeError("too large");
    parts.push(part.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
