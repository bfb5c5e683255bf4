// What a reader does, and what the page shows then. Whatever is drawn stands in a table or a list as well.
const SHOWN_ROWS = 50;
const FOUND = 12;
const $ = (id) => document.getElementById(id);
const state = { passes: new Uint8Array(size).fill(1), chosen: null, marked: null, lit: new Set(), path: [], listed: new Set() };
let list = [];
let ends = [null, null];
let sorted = { by: "fans", down: true };
let first = 0;

// Make an element; text is text, whatever is in it.
function make(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...content.filter((one) => one !== null));
  return made;
}
const swatch = (colour) => {
  const made = make("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = `var(${colour})`;
  return made;
};
const called = (n) => [make("bdi", {}, titleOf(n)), artistOf(n) ? make("span", { class: "by" }, make("bdi", {}, artistOf(n))) : null];
// Choose what was picked beside the map, and go to where it is told: the button may be gone by then, or far below.
const turnTo = (n) => {
  choose(n, true);
  $("track").focus();
};
const pick = (n) => make("button", { type: "button", class: "pick", onclick: () => turnTo(n) }, ...called(n));
const adder = (n) =>
  make("button", { type: "button", class: "add", "aria-label": `Put ${titleOf(n)} on the list`, onclick: () => put([n]) }, "+");

const map = drawMap($("stage"), state, (n) => choose(n), surrounded);
if (map === null) {
  for (const part of [$("stage"), document.querySelector(".tools")]) part.hidden = true;
  $("no-map").hidden = false;
  document.querySelector("main").classList.add("flat"); // the table takes the room of the map
}

// -- a track

function choose(n, goThere = false) {
  state.chosen = n;
  const address = n === null ? " " : `#track-${tracks.id[n]}`;
  if (location.hash !== address.trim()) history.replaceState(null, "", n === null ? location.pathname + location.search : address);
  tellTrack();
  mark();
  if (goThere && n !== null) map?.centre(n);
}

function mark() {
  const ways = state.path.slice(1).map((n, place) => pairOf(state.path[place], n));
  const around = state.chosen === null ? [] : near[state.chosen];
  state.lit = new Set([...ways, ...around.map(([pair]) => pair)]);
  const marked = [...state.path, ...around.map(([, other]) => other)];
  state.marked = marked.length ? new Set([...marked, ...(state.chosen === null ? [] : [state.chosen])]) : null;
  map?.show();
}

function tellTrack() {
  const n = state.chosen;
  if (n === null) {
    $("track-name").textContent = "Choose a track";
    $("track-told").replaceChildren(make("p", {}, "Click one on the map, look for it by name, or take one from the ", make("a", { href: "#all" }, "table"), "."));
    return;
  }
  $("track-name").replaceChildren(make("bdi", {}, titleOf(n)));
  const told = [
    ["By", artistOf(n)],
    ["Like it here", `${number(tracks.fans[n])} of ${counted(facts.people, "person", "people")} whose likes are read${frames.has(n) ? "; they were chosen for liking it" : ""}`],
    ["On SoundCloud", tracks.likes[n] === null ? "not known" : counted(tracks.likes[n], "like")],
    ["Genre", genreOf(n)],
    ["Tempo", tracks.bpm[n] && `${tracks.bpm[n]} BPM`],
    ["Length", tracks.ms[n] && `${Math.floor(tracks.ms[n] / 60000)}:${String(Math.floor(tracks.ms[n] / 1000) % 60).padStart(2, "0")}`],
    ["Uploaded", tracks.uploaded[n]],
    ["Tags", facts.tags[n].map((tag) => facts.tag_names[tag]).join(", ")],
  ];
  const terms = told.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, make("bdi", {}, text))]);
  if (communityOf(n)) terms.push(make("dt", {}, "Community"), make("dd", {}, swatch(colourOf(n)), make("bdi", {}, communityOf(n))));
  const ways = (facts.live ?? []).map(([words, where]) => make("a", { href: where.replace("{}", tracks.id[n]) }, words));
  if (!unlinked.has(n)) ways.unshift(make("a", { href: addressOf(n), rel: "noopener noreferrer", target: "_blank" }, "Listen on SoundCloud"));
  const shown = near[n].filter(([, other]) => state.passes[other]);
  const nearest = shown.map(([pair, other]) =>
    make("tr", {}, make("th", { scope: "row" }, pick(other), make("span", { class: "why" }, sentence(pair))), make("td", {}, adder(other))),
  );
  $("track-told").replaceChildren(
    make("dl", {}, ...terms),
    make("p", {}, ...ways.flatMap((way, place) => (place ? [" · ", way] : [way]))),
    make(
      "p",
      { class: "buttons" },
      make("button", { type: "button", onclick: () => put([n]) }, "Put on the list"),
      make("button", { type: "button", onclick: () => setEnd(0, n) }, "Path from here"),
      make("button", { type: "button", onclick: () => setEnd(1, n) }, "Path to here"),
    ),
    ...fansOf(n),
    make("h3", { id: "near-name" }, `Nearest on this page: ${counted(near[n].length, "track")}${shown.length < near[n].length ? `, ${number(shown.length)} of which pass the filters` : ""}`),
    make("p", { class: "buttons" }, make("button", { type: "button", disabled: !shown.length, onclick: () => put(shown.map(([, other]) => other)) }, "Put the nearest on the list")),
    make("div", { class: "near", tabindex: "0", role: "group", "aria-labelledby": "near-name" }, make("table", { "aria-labelledby": "near-name" }, make("tbody", {}, ...nearest))),
  );
}

function fansOf(n) {
  if (!facts.fans) return [];
  const people = facts.fans.of[n].map((who) => {
    const name = make("bdi", {}, facts.fans.names[who]);
    const page = facts.fans.pages[who];
    return make("li", {}, page ? make("a", { href: page, rel: "noopener noreferrer", target: "_blank" }, name) : name);
  });
  return [make("h3", {}, "Liked by, newest first"), make("ul", { class: "fans" }, ...people)];
}

// -- looking for a track

function finder(input, found, chosen, told = null) {
  const show = () => {
    const some = matching(input.value, FOUND);
    found.replaceChildren(
      ...some.map((n) => make("li", {}, make("button", { type: "button", class: "pick", onclick: () => take(n) }, ...called(n)))),
    );
    found.hidden = !some.length;
    if (told) told.textContent = input.value.trim() ? (some.length ? "" : "No track on this page has these words.") : "";
  };
  const take = (n) => {
    found.hidden = true;
    input.focus();
    chosen(n);
  };
  const step = (by) => {
    const all = [...found.querySelectorAll("button")];
    const next = all.indexOf(document.activeElement) + by;
    (next < 0 ? input : all[Math.min(next, all.length - 1)])?.focus();
  };
  input.addEventListener("input", show);
  input.parentElement.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      found.hidden = true;
      input.focus();
    } else if (event.key === "Enter" && event.target === input) found.querySelector("button")?.click();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
  });
  input.parentElement.addEventListener("focusout", (event) => {
    if (!input.parentElement.contains(event.relatedTarget)) found.hidden = true;
  });
}

// -- the way from one track to another

function setEnd(which, n) {
  ends[which] = n;
  $(which ? "to" : "from").value = n === null ? "" : titleOf(n);
  state.path = ends.includes(null) ? [] : pathBetween(...ends) ?? [];
  const steps = state.path.length - 1;
  const lacking = ends.every((end) => end === null) ? "" : `Choose where it ${ends[0] === null ? "begins" : "ends"}, too.`;
  $("path-told").textContent = ends.includes(null)
    ? lacking
    : steps < 0
      ? "No chain of tracks on this page leads from one to the other."
      : `${counted(steps, "step")}: of the shortest ways, that of the nearest tracks.`;
  $("steps").replaceChildren(
    ...state.path.map((one, place) => make("li", {}, place ? make("span", { class: "why" }, sentence(pairOf(state.path[place - 1], one))) : null, pick(one))),
  );
  $("path-buttons").hidden = steps < 0;
  mark();
}

// -- the list

function put(some) {
  const fresh = some.filter((n) => !state.listed.has(n));
  list.push(...fresh);
  tellList();
}

function tellList() {
  state.listed = new Set(list);
  $("listed").textContent = list.length ? `· ${counted(list.length, "track")}` : "";
  $("list-empty").hidden = list.length > 0;
  $("list-out").hidden = !list.length;
  const drop = (place) => {
    list.splice(place, 1);
    tellList();
    ($("items").querySelectorAll(".remove")[Math.min(place, list.length - 1)] ?? $("search")).focus();
  };
  $("items").replaceChildren(
    ...list.map((n, place) =>
      make("li", {}, pick(n), make("button", { type: "button", class: "remove", "aria-label": `Take ${titleOf(n)} off the list`, onclick: () => drop(place) }, "×")),
    ),
  );
  map?.show();
}

function surrounded(some) {
  lasso(false);
  put(some);
  if (!some.length) $("listed").textContent = "· nothing lies within that line";
}

function lasso(on) {
  $("lasso").setAttribute("aria-pressed", on);
  map?.lasso(on);
}

// -- filters and the table

const besideSeed = facts.seeds.map((seed) => new Set(seed.tracks));
const FIELDS = { genre: "genre", community: "community", seed: "seed", bpm: "bpm", year: "uploaded", likes: "likes" };

function filter() {
  const chosen = (id) => ($(id).value === "" ? null : Number($(id).value));
  const [genre, community, seed] = ["genre", "community", "seed"].map(chosen);
  const bounds = ["bpm", "year", "likes"].map((what) => [what, chosen(`${what}-from`), chosen(`${what}-to`)]).filter(([, from, to]) => from !== null || to !== null);
  for (let n = 0; n < size; n++) {
    const passes =
      (genre === null || tracks.genre[n] === genre) &&
      (community === null || rankOf(n) === community) &&
      (seed === null || besideSeed[seed].has(n)) &&
      bounds.every(([what, from, to]) => {
        const told = tracks[FIELDS[what]][n];
        const value = what === "year" && told !== null ? Number(told.slice(0, 4)) : told;
        return value !== null && (from === null || value >= from) && (to === null || value <= to);
      });
    state.passes[n] = passes ? 1 : 0;
  }
  const left = state.passes.reduce((sum, one) => sum + one, 0);
  $("filtered").textContent = left < size ? `· ${number(left)} of ${number(size)} tracks` : "";
  for (const button of $("legend").querySelectorAll("button")) button.setAttribute("aria-pressed", Number(button.dataset.rank) === community);
  first = 0;
  tellTable();
  tellTrack();
  map?.show();
}

function tellTable() {
  const value = { title: titleOf, community: (n) => rankOf(n), genre: genreOf };
  const of = value[sorted.by] ?? ((n) => tracks[sorted.by][n]);
  const rows = byFans.filter((n) => state.passes[n]).map((n) => [of(n), n]);
  const way = sorted.down ? -1 : 1;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : way * compare(a, b)));
  const some = rows.slice(first, first + SHOWN_ROWS).map(([, n]) => n);
  $("all-told").textContent = rows.length ? `${number(first + 1)} to ${number(first + some.length)} of ${counted(rows.length, "track")}` : "No track passes these filters.";
  $("earlier").disabled = first === 0;
  $("later").disabled = first + SHOWN_ROWS >= rows.length;
  const cell = (text, kind) => make("td", { class: kind }, text ?? "–");
  $("rows").replaceChildren(
    ...some.map((n) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, pick(n)),
        make("td", {}, swatch(colourOf(n)), make("bdi", {}, communityOf(n) || (frames.has(n) ? "people were chosen for it" : "none"))),
        cell(number(tracks.fans[n]), "number"),
        cell(tracks.likes[n] === null ? null : number(tracks.likes[n]), "number"),
        make("td", {}, make("bdi", {}, genreOf(n) ?? "–")),
        cell(tracks.bpm[n], "number"),
        cell(tracks.uploaded[n], "nowrap"),
        make("td", {}, adder(n)),
      ),
    ),
  );
  for (const button of document.querySelectorAll("thead button")) {
    const mine = button.dataset.by === sorted.by;
    if (mine) button.parentElement.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    else button.parentElement.removeAttribute("aria-sort");
  }
}

function options(id, names) {
  $(id).append(...names.map(([value, words]) => make("option", { value }, words)));
  $(id).parentElement.hidden = names.length < 2;
}

// -- and so it begins

const genres = new Map();
for (const genre of tracks.genre) if (genre !== null) genres.set(genre, (genres.get(genre) ?? 0) + 1);
options("genre", [...genres].sort((a, b) => b[1] - a[1]).map(([genre, n]) => [genre, `${tracks.genres[genre]} (${number(n)})`]));
options("community", communities.map((one, rank) => [rank, `${communityName(rank)} (${number(one.tracks)})`]));
options("seed", facts.seeds.map((seed, place) => [place, seed.name]));
$("legend").append(
  ...communities.slice(0, COLOURS).map((one, rank) =>
    make(
      "li",
      {},
      make(
        "button",
        { type: "button", "aria-pressed": "false", "data-rank": rank, onclick: () => (($("community").value = $("community").value === String(rank) ? "" : rank), filter()) },
        swatch(groupColour(rank)),
        make("bdi", {}, communityName(rank)),
        make("span", { class: "note" }, number(one.tracks)),
      ),
    ),
  ),
  ...(communities.length > COLOURS ? [make("li", {}, swatch("--plain"), "further ones")] : []),
  ...(frames.size ? [make("li", {}, swatch("--ink"), "people were chosen for it")] : []),
);
finder($("search"), $("search-found"), turnTo, $("search-told"));
finder($("from"), $("from-found"), (n) => setEnd(0, n));
finder($("to"), $("to-found"), (n) => setEnd(1, n));
["from", "to"].forEach((id, which) => $(id).addEventListener("input", () => $(id).value === "" && setEnd(which, null)));
const clicks = {
  "zoom-in": () => map.zoom(0.6),
  "zoom-out": () => map.zoom(1.6),
  whole: () => map.whole(),
  lasso: () => lasso($("lasso").getAttribute("aria-pressed") === "false"),
  "clear-filters": () => ($("filters").querySelectorAll("input, select").forEach((one) => (one.value = "")), filter()),
  "list-filtered": () => put(byFans.filter((n) => state.passes[n])),
  "list-path": () => put(state.path),
  "clear-path": () => (setEnd(0, null), setEnd(1, null)),
  "clear-list": () => ((list = []), tellList()),
  earlier: () => ((first = Math.max(0, first - SHOWN_ROWS)), tellTable()),
  later: () => ((first += SHOWN_ROWS), tellTable()),
};
for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
for (const button of document.querySelectorAll("[data-format]")) button.addEventListener("click", () => save(list, $("title").value, button.dataset.format));
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const by = button.dataset.by;
    sorted = { by, down: sorted.by === by ? !sorted.down : !["title", "community", "genre"].includes(by) };
    first = 0;
    tellTable();
  });
}
$("filters").addEventListener("change", filter);
const fromAddress = () => {
  const n = places.get(Number(location.hash.replace("#track-", "")));
  if (n !== undefined) choose(n, true);
  else if (location.hash.startsWith("#track-")) $("track-told").replaceChildren(make("p", {}, "The track you asked for is not on this map."));
};
addEventListener("hashchange", fromAddress);
tellTable();
fromAddress();
