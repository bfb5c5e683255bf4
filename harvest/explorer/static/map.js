// The map: circles and lines of sigma.js, names that do not cover each other, a lasso.
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif';
const LONGEST = 36; // characters of a name on the map
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const hasWebGL = () => {
  const canvas = document.createElement("canvas");
  return Boolean(window.WebGL2RenderingContext && canvas.getContext("webgl2"));
};

// Draw it into an element; `state` says what passes the filters, is chosen, is marked. Null where it cannot be drawn.
function drawMap(stage, state, choose, surrounded) {
  if (!hasWebGL()) return null;
  const graph = new graphLibrary.Graph({ type: "undirected" });
  tracks.id.forEach((_, n) => graph.addNode(n, { x: 0, y: 0, label: short(titleOf(n)) }));
  for (const pair of pairs.drawn) graph.addEdgeWithKey(pair, pairs.one[pair], pairs.other[pair]);
  let unit = 1;
  let stretch = 0; // width over height: the map takes the room there is, within bounds
  let colours = {};
  let taken = []; // by names, in this picture
  let groups = []; // whose names stand in it
  const middles = communities.slice(0, COLOURS).map((one, rank) => {
    const members = tracks.id.map((_, n) => n).filter((n) => rankOf(n) === rank);
    const middle = (of) => members.map((n) => of[n]).sort((a, b) => a - b)[members.length >> 1];
    return { x: middle(tracks.x), y: middle(tracks.y), name: one.name || communityName(rank) };
  });
  const extra = new Set(); // lines that are there only for what is chosen

  fit();
  const sigma = new graphLibrary.Sigma(graph, stage, {
    minCameraRatio: 0.02,
    maxCameraRatio: 3,
    zIndex: true,
    stagePadding: 24,
    labelFont: FONT,
    labelSize: 13,
    labelDensity: 0.6,
    labelGridCellSize: 120,
    labelRenderedSizeThreshold: 4,
    hideEdgesOnMove: size > 2500,
    defaultDrawNodeLabel: drawName,
    defaultDrawNodeHover: drawChosen,
    nodeReducer(key, told) {
      const n = Number(key);
      const look = { ...told, size: Math.max(1.5, tracks.r[n] * unit), color: colours[colourOf(n)], zIndex: frames.has(n) ? 2 : 1 };
      if (!state.passes[n] && n !== state.chosen) return { ...look, hidden: true };
      if (n === state.chosen) return { ...look, highlighted: true, zIndex: 4, size: Math.max(6, look.size) };
      if (state.marked && !state.marked.has(n)) return { ...look, color: colours.faded, label: "", zIndex: 0 };
      if (state.marked || state.listed.has(n)) return { ...look, zIndex: 3, forceLabel: state.path.includes(n) };
      return look;
    },
    edgeReducer(key, told) {
      if (state.lit.has(Number(key))) return { ...told, color: colours.lit, size: 1.6, zIndex: 1 };
      if (state.marked) return { ...told, hidden: true };
      return { ...told, color: colours.line, size: pairs.drawn.length > 4000 ? 0.35 : 0.7, zIndex: 0 };
    },
  });

  function short(text) {
    const letters = [...text];
    return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST - 1).join("")}…`;
  }

  function drawName(context, told, settings) {
    context.font = `${settings.labelSize}px ${FONT}`;
    const wide = context.measureText(told.label).width;
    const right = told.x + told.size + 4;
    const left = right + wide > stage.clientWidth ? told.x - told.size - 4 - wide : right;
    if (isFree([left - 3, told.y - 9, left + wide + 3, told.y + 9])) writeOn(context, told.label, left, told.y + 4.5);
  }

  // The names of communities stand in their midst, as long as all of the map is in view; those of tracks give way.
  function nameGroups() {
    taken = [];
    groups = [];
    if (sigma.getCamera().ratio < 0.6 || state.marked) return;
    const context = sigma.getCanvases().labels.getContext("2d");
    context.font = `600 14px ${FONT}`;
    for (const { x, y, name } of middles) {
      const at = sigma.graphToViewport({ x: x * stretch, y });
      const wide = context.measureText(name).width;
      const left = Math.min(Math.max(at.x - wide / 2, 6), stage.clientWidth - wide - 6);
      if (isFree([left - 4, at.y - 10, left + wide + 4, at.y + 10])) groups.push({ name, left, base: at.y + 5 });
    }
  }

  function drawGroups() {
    const context = sigma.getCanvases().labels.getContext("2d");
    context.font = `600 14px ${FONT}`;
    for (const { name, left, base } of groups) writeOn(context, name, left, base);
  }

  // Say whether there is room for a name, and take it then.
  function isFree(box) {
    if (taken.some((one) => one[0] < box[2] && box[0] < one[2] && one[1] < box[3] && box[1] < one[3])) return false;
    taken.push(box);
    return true;
  }

  function writeOn(context, text, left, base) {
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = colours["--card"];
    context.strokeText(text, left, base);
    context.fillStyle = colours["--ink"];
    context.fillText(text, left, base);
  }

  function drawChosen(context, told, settings) {
    context.font = `600 ${settings.labelSize + 1}px ${FONT}`;
    const wide = told.label ? context.measureText(told.label).width + 14 : 0;
    const left = Math.max(4, Math.min(told.x + told.size + 6, stage.clientWidth - wide - 4));
    context.beginPath();
    context.arc(told.x, told.y, told.size + 3, 0, 2 * Math.PI);
    context.fillStyle = colours["--ink"];
    context.fill();
    context.beginPath();
    context.arc(told.x, told.y, told.size + 0.5, 0, 2 * Math.PI);
    context.fillStyle = told.color;
    context.fill();
    if (!wide) return;
    context.beginPath();
    context.roundRect(left, told.y - 13, wide, 26, 5);
    context.fillStyle = colours["--ink"];
    context.fill();
    context.fillStyle = colours["--card"];
    context.fillText(told.label, left + 7, told.y + 5);
  }

  function dress() {
    const names = ["--ink", "--card", "--plain", ...communities.slice(0, COLOURS).map((_, rank) => groupColour(rank))];
    colours = Object.fromEntries(names.map((name) => [name, css(name)]));
    Object.assign(colours, { faded: css("--rule"), line: css("--line"), lit: css("--soft") });
    fit();
    sigma.refresh();
  }

  function fit() {
    const [wide, high] = [Math.max(stage.clientWidth, 1), Math.max(stage.clientHeight, 1)];
    const wanted = Math.round(10 * Math.min(Math.max(wide / high, 0.7), 1.6)) / 10;
    if (wanted !== stretch) {
      stretch = wanted;
      graph.updateEachNodeAttributes((n, told) => ({ ...told, x: tracks.x[n] * stretch, y: tracks.y[n] }), { attributes: ["x", "y"] });
    }
    unit = Math.min(high, wide / stretch) / facts.side;
  }

  // Show what `state` now says; the lines of what is chosen or on the path are drawn whether the backbone has them or not.
  function show() {
    for (const pair of extra) graph.dropEdge(pair);
    extra.clear();
    for (const pair of state.lit) {
      if (graph.hasEdge(pair)) continue;
      graph.addEdgeWithKey(pair, pairs.one[pair], pairs.other[pair]);
      extra.add(pair);
    }
    sigma.refresh();
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const camera = sigma.getCamera();
  const move = (to) => (still.matches ? camera.setState(to) : camera.animate(to, { duration: 300 }));
  const zoom = (factor) => move({ ratio: sigma.getCamera().getBoundedRatio(camera.ratio * factor) });
  const whole = () => move({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  const keys = {
    ArrowLeft: () => move({ x: camera.x - 0.15 * camera.ratio }),
    ArrowRight: () => move({ x: camera.x + 0.15 * camera.ratio }),
    ArrowUp: () => move({ y: camera.y + 0.15 * camera.ratio }),
    ArrowDown: () => move({ y: camera.y - 0.15 * camera.ratio }),
    "+": () => zoom(0.6),
    "=": () => zoom(0.6),
    "-": () => zoom(1.6),
    0: whole,
  };
  stage.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });

  const overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  overlay.setAttribute("aria-hidden", "true");
  const shape = overlay.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "polygon"));
  stage.append(overlay);
  let line = null;
  const at = (event) => [event.clientX - stage.getBoundingClientRect().left, event.clientY - stage.getBoundingClientRect().top];
  overlay.addEventListener("pointerdown", (event) => {
    overlay.setPointerCapture(event.pointerId);
    line = [at(event)];
  });
  overlay.addEventListener("pointermove", (event) => {
    if (line === null) return;
    line.push(at(event));
    shape.setAttribute("points", line.join(" "));
  });
  overlay.addEventListener("pointerup", () => {
    const around = line ?? [];
    line = null;
    shape.setAttribute("points", "");
    surrounded(byFans.filter((n) => state.passes[n] && isWithin(sigma.graphToViewport(graph.getNodeAttributes(n)), around)));
  });

  sigma.on("beforeRender", nameGroups);
  sigma.on("afterRender", drawGroups);
  sigma.on("clickNode", ({ node }) => choose(Number(node)));
  sigma.on("clickStage", () => choose(null));
  sigma.on("enterNode", () => stage.classList.add("over"));
  sigma.on("leaveNode", () => stage.classList.remove("over"));
  sigma.on("resize", dress);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  dress();
  return {
    sigma,
    show,
    zoom,
    whole,
    lasso: (on) => stage.classList.toggle("lasso", on),
    centre(n) {
      const { x, y } = sigma.getNodeDisplayData(n);
      move({ x, y, ratio: Math.min(camera.ratio, 0.5) });
    },
  };
}

// Whether a point lies within a polygon: a ray from it crosses the outline an odd number of times.
function isWithin({ x, y }, outline) {
  let within = false;
  outline.forEach(([x1, y1], place) => {
    const [x2, y2] = outline.at(place - 1);
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  });
  return within;
}
