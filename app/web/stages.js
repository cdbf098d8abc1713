// The picture of the stages: stages and external images in layers, each to the right of what it is built from, or below
// it on a narrow screen. An arrow that crosses a layer gets its own place there, so that it passes between the boxes.

import { button, count, draw, inLines, make, worst } from "./elements.js";

const MOST_PLACES = 3000; // more would take seconds to arrange, and the picture would be unreadable
const ACROSS = { width: 164, height: 46, step: 232, gap: 18, across: true };
const DOWN = { width: 146, height: 46, step: 88, gap: 12, across: false };
const WIDEST = 320; // box, in pixels
// The width of a letter in pixels: in a name, and in the line below it or in an image
const NAME = 7.6;
const BASE = 6.7;
const NARROW = 640; // pixels
const MARGIN = 12; // for the numbers at the corners
const INSET = 7; // above and below an image, whose box is lower than that of a stage
const UNKNOWN = "a build argument"; // the base if FROM depends on an argument without a default

// Return the nodes for stages, images and places between boxes, and the edges with the nodes on their way. Return null
// if there are too many.
function graph(stages) {
  const node = (members) => ({ before: [], after: [], ...members });
  const nodes = stages.map((stage) => node({ stage, layer: 1 })); // layer 0 is for images
  const images = new Map();
  const edges = [];
  const image = (name) => images.get(name) ?? images.set(name, node({ image: name })).get(name);
  for (const [index, stage] of stages.entries()) {
    const to = nodes[index];
    const join = (from, kind) => edges.push({ from, to, kind, needed: stage.needed });
    join(nodes[stage.parent] ?? image(stage.base ?? UNKNOWN), "from");
    for (const other of stage.copies_from) join(nodes[other], "copy");
    for (const name of stage.images) join(image(name), "copy");
  }
  // An edge leads from a stage to a later one, so the order of the stages determines the layers.
  for (const { from, to } of edges) if (from.stage) to.layer = Math.max(to.layer, from.layer + 1);
  for (const { from, to } of edges) if (from.image) from.layer = Math.min(from.layer ?? Infinity, to.layer - 1);
  const all = [...images.values(), ...nodes];
  if (edges.reduce((sum, { from, to }) => sum + to.layer - from.layer, 0) > MOST_PLACES) return null;
  for (const edge of edges) {
    const layers = edge.to.layer - edge.from.layer;
    edge.between = Array.from({ length: layers - 1 }, (_, step) => node({ layer: edge.from.layer + step + 1 }));
    all.push(...edge.between);
    const way = [edge.from, ...edge.between, edge.to];
    way.slice(1).forEach((next, step) => {
      next.before.push(way[step]);
      way[step].after.push(next);
    });
  }
  return { nodes: all, edges };
}

const isBox = (node) => Boolean(node.stage ?? node.image);

// Return the average place of a node's neighbors. Long arrows count more, because their bends are conspicuous.
function middle(node, neighbors) {
  const weights = neighbors.map((other) => [8, 2, 1][isBox(node) + isBox(other)]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return neighbors.reduce((sum, other, index) => sum + other.at * weights[index], 0) / total;
}

// Set each node's place `at` in its layer: near its neighbors (at their barycenter), and apart from the others.
// Return the size of the picture.
function arrange(nodes, { width, height, step, gap, across }) {
  const layers = [];
  for (const node of nodes) (layers[node.layer] ??= []).push(node);
  const size = (node) => (isBox(node) ? (across ? height : width) : 4);
  for (const layer of layers) layer.forEach((node, index) => (node.at = index * (size(node) + gap)));
  for (let round = 0; round < 12; round++) {
    const [side, order] = round % 2 ? ["after", layers.toReversed()] : ["before", layers];
    for (const layer of order) {
      for (const node of layer) node.wish = node[side].length ? middle(node, node[side]) : node.at;
      layer.sort((a, b) => a.wish - b.wish);
      // Find places near the wishes from one end, then from the other, and take the average of both.
      const room = (index) => (size(layer[index - 1]) + size(layer[index])) / 2 + gap;
      const low = layer.map((node) => node.wish);
      const high = [...low];
      for (let index = 1; index < low.length; index++) low[index] = Math.max(low[index], low[index - 1] + room(index));
      for (let index = low.length - 1; index > 0; index--) {
        high[index - 1] = Math.min(high[index - 1], high[index] - room(index));
      }
      layer.forEach((node, index) => (node.at = (low[index] + high[index]) / 2));
    }
  }
  const least = Math.min(...nodes.map((node) => node.at - size(node) / 2));
  for (const node of nodes) node.at = Math.round(node.at - least);
  const breadth = Math.max(...nodes.map((node) => node.at + size(node) / 2)) + 2 * MARGIN;
  const length = (layers.length - 1) * step + (across ? width : height) + 2 * MARGIN;
  return across ? { width: length, height: breadth } : { width: breadth, height: length };
}

function arrow({ from, between, to, kind, needed, aside }, { width, height, step, across }) {
  const length = across ? width : height;
  const point = (along, at) => (across ? `${along} ${at}` : `${at} ${along}`);
  const goal = to.at + aside;
  let [along, at] = [from.layer * step + length - (from.image && !across ? INSET : 0), from.at];
  const path = [`M${point(along, at)}`];
  for (const next of [...between, to]) {
    const [start, end] = [next.layer * step - (next === to ? 7 : 0), next === to ? goal : next.at];
    const half = (along + start) / 2;
    path.push(`C${point(half, at)} ${point(half, end)} ${point(start, end)}`);
    [along, at] = [next.layer * step + length, end];
    if (next !== to) path.push(`L${point(along, at)}`);
  }
  const tip = across ? `M${point(to.layer * step, goal)}l-8-4v8z` : `M${point(to.layer * step, goal)}l-4-8h8z`;
  const shade = needed ? "" : " aside";
  return draw(
    "g",
    {},
    draw("path", { class: `edge ${kind}${shade}`, d: path.join("") }),
    draw("path", { class: `tip${shade}`, d: tip }),
  );
}

// Shorten a name that does not fit to its end, which says more, if possible from a slash.
function ending(name, letters) {
  if (name.length <= letters) return name;
  const at = name.indexOf("/", name.length - letters + 1);
  return `…${name.slice(at === -1 ? 1 - letters : at)}`;
}

const labelOf = ({ name }) => (/^\d/.test(name) ? `stage ${name}` : name);

// The width of a box in which all text fits.
const wish = ({ stage, image }) =>
  image
    ? image.length * BASE + 24
    : Math.max(labelOf(stage).length * NAME, `FROM ${stage.base ?? UNKNOWN}`.length * BASE) + 12;

// Return possible sizes of boxes, if possible as wide as the longest text. Across, the layers share the width.
function forms(nodes, room) {
  const wished = Math.min(WIDEST, Math.ceil(Math.max(...nodes.filter(isBox).map(wish))));
  const layers = 1 + Math.max(...nodes.map(({ layer }) => layer));
  const spread = ACROSS.step - ACROSS.width;
  const width = Math.max(ACROSS.width, Math.min(wished, Math.floor((room - 2 * MARGIN + spread) / layers) - spread));
  return [
    { ...ACROSS, width, step: width + spread },
    { ...DOWN, width: Math.max(DOWN.width, wished) },
    DOWN,
  ];
}

function box({ stage, image, layer, at }, found, { width, height, step, across }) {
  const [x, y] = across ? [layer * step, at - height / 2] : [at - width / 2, layer * step];
  const fitting = (letter, padding) => Math.floor((width - padding) / letter);
  const text = (content, top, name) =>
    draw("text", { class: name, x: width / 2, y: top, "text-anchor": "middle" }, content);
  const rectangle = (inset, rx) =>
    draw("rect", { class: "frame", x: 0.5, y: inset + 0.5, width: width - 1, height: height - 2 * inset - 1, rx });
  const group = draw("g", { transform: `translate(${x} ${y})` });
  if (image) {
    group.setAttribute("class", "box image");
    group.append(draw("title", {}, image), rectangle(INSET, height / 2 - INSET));
    group.append(text(ending(image, fitting(BASE, 24)), height / 2 + 4, "name"));
    return group;
  }
  const base = stage.base ?? UNKNOWN;
  const from = `FROM ${base}`;
  const [label, letters, room] = [labelOf(stage), fitting(BASE, 12), fitting(NAME, 12)];
  const name = label.length > room ? `${label.slice(0, room - 1)}…` : label;
  group.setAttribute("class", `box stage${stage.needed ? "" : " aside"}${stage.published ? " published" : ""}`);
  group.append(draw("title", {}, `${stage.name}: ${from}`), rectangle(0, 4), text(name, 20, "name"));
  group.append(text(from.length > letters ? ending(base, letters) : from, 36, "base"));
  if (found.length) {
    const half = 5 + 4 * String(found.length).length;
    const circle = draw("rect", { class: "count", x: -half, y: -9, width: 2 * half, height: 18, rx: 9 });
    const amount = draw("text", { "text-anchor": "middle", y: 4 }, `${found.length}`);
    group.append(draw("g", { class: worst(found), transform: `translate(${width - 6} 2)` }, circle, amount));
  }
  return group;
}

function inWords(stage, stages, found) {
  const name = (index) => `stage ${stages[index].name}`;
  const origin = stage.parent === null ? `the image ${stage.base ?? `that ${UNKNOWN} names`}` : name(stage.parent);
  const copies = [...stage.copies_from.map(name), ...stage.images.map((image) => `the image ${image}`)];
  return [
    `${stage.name}, ${inLines(stage)}, from ${origin}`,
    ...(copies.length ? [`copies from ${copies.join(" and ")}`] : []),
    stage.published ? "published" : `${stage.needed ? "" : "not "}needed for the published stage`,
    ...(found.length ? [count(found.length, "finding")] : []),
  ].join("; ");
}

function description(stages) {
  const { name } = stages.find((stage) => stage.published);
  const needed = stages.filter((stage) => stage.needed && !stage.published).map((stage) => stage.name);
  const helpers = needed.length ? `, with the help of ${needed.join(", ")}` : "";
  return `${name} is published${helpers}. The list after the picture says the same in words.`;
}

// Return the picture and a list of the same in words. `width` is the available width, and `go` receives a chosen stage.
export function picture(stages, findings, width, go) {
  const inStage = (stage) => findings.filter(({ line }) => stage.line <= line && line <= stage.end_line);
  const tellStage = (stage) => button(inWords(stage, stages, inStage(stage)), () => go(stage));
  const words = new Map(stages.map((stage) => [stage, tellStage(stage)]));
  const items = [...words.values()].map((element) => make("li", {}, element));
  const found = graph(stages);
  if (!found) return { svg: `${count(stages.length, "stage")} with too many arrows for a picture.`, items };
  const { nodes, edges } = found;
  // Draw the stages across if they fit. If nothing fits, the picture scrolls.
  const fitting = forms(nodes, width).find((form) => arrange(nodes, form).width <= width);
  const form = fitting ?? (width < NARROW ? DOWN : ACROSS);
  const size = arrange(nodes, form);
  for (const node of nodes) {
    const arriving = edges.filter((edge) => edge.to === node);
    const origin = (edge) => (edge.between.at(-1) ?? edge.from).at;
    arriving.sort((a, b) => origin(a) - origin(b));
    const apart = Math.min(10, 36 / arriving.length);
    arriving.forEach((edge, index) => (edge.aside = apart * (index - (arriving.length - 1) / 2)));
  }
  const images = nodes.filter((node) => node.image).map((node) => box(node, [], form));
  const boxes = nodes.filter((node) => node.stage).map((node) => {
    const group = box(node, inStage(node.stage), form);
    group.addEventListener("click", () => go(node.stage));
    words.get(node.stage).addEventListener("focus", () => {
      group.classList.add("focused");
      group.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    words.get(node.stage).addEventListener("blur", () => group.classList.remove("focused"));
    return group;
  });
  const svg = draw(
    "svg",
    {
      ...size,
      viewBox: `${-MARGIN} ${-MARGIN} ${size.width} ${size.height}`,
      role: "img",
      "aria-labelledby": "picture-title picture-words",
    },
    draw("title", { id: "picture-title" }, `${count(stages.length, "stage")} and what each is made from`),
    draw("desc", { id: "picture-words" }, description(stages)),
    // Draw the needed ones on top.
    ...edges.toSorted((a, b) => a.needed - b.needed).map((edge) => arrow(edge, form)),
    ...images,
    ...boxes,
  );
  return { svg, items };
}
