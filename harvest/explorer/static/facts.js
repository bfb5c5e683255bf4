"use strict";
// What stands in the page: columns by the place of a track, pairs with the nearest first, and how things are called.
const facts = JSON.parse(document.getElementById("facts").textContent);
const { tracks, pairs, communities } = facts;
const size = tracks.id.length;
const COLOURS = 12; // of communities, the largest; the others share one

const titleOf = (n) => tracks.shown[n] ?? tracks.title[n];
const artistOf = (n) => (tracks.artist[n] === null ? "" : tracks.shown_artists[tracks.artist[n]] ?? tracks.artists[tracks.artist[n]]);
const addressOf = (n) => (tracks.address[n].includes("://") ? tracks.address[n] : facts.site + tracks.address[n]);
const genreOf = (n) => (tracks.genre[n] === null ? null : tracks.genres[tracks.genre[n]]);
const number = (value) => value.toLocaleString("en-US");
const counted = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

const places = new Map(tracks.id.map((id, n) => [id, n]));
const frames = new Set(tracks.frames);
const unlinked = new Set(tracks.unlinked);
const ranked = new Map(communities.map((one, rank) => [one.number, rank]));
const rankOf = (n) => ranked.get(tracks.community[n]) ?? null;
const colourOf = (n) => (frames.has(n) ? "--ink" : rankOf(n) === null || rankOf(n) >= COLOURS ? "--plain" : groupColour(rankOf(n)));
const groupColour = (rank) => `--group${rank + 1}`;
const communityOf = (n) => (rankOf(n) === null ? "" : communityName(rankOf(n)));
const communityName = (rank) => `${rank + 1}${communities[rank].name && ` ${communities[rank].name}`}`;

// The pairs of each track, the nearest first: [pair, the other track].
const near = Array.from({ length: size }, () => []);
pairs.one.forEach((one, pair) => {
  near[one].push([pair, pairs.other[pair]]);
  near[pairs.other[pair]].push([pair, one]);
});
const sentence = (pair) => pairs.sentences[pairs.why[pair]];
const pairOf = (one, other) => near[one].find(([, there]) => there === other)?.[0];

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
let folded = null;

// Tracks whose title and artist have all the words, those that most people like first.
function matching(text, most) {
  folded ??= tracks.id.map((_, n) => fold(`${titleOf(n)} ${artistOf(n)}`));
  const words = fold(text).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = byFans.filter((n) => words.every((word) => folded[n].includes(word)));
  return found.slice(0, most);
}
const byFans = tracks.id.map((_, n) => n).sort((a, b) => tracks.fans[b] - tracks.fans[a] || a - b);

let net = null;

// The fewest steps from one track to another, of these the nearest; null where there is no way.
function pathBetween(one, other) {
  if (net === null) {
    net = new graphLibrary.Graph({ type: "undirected" });
    tracks.id.forEach((_, n) => net.addNode(n));
    pairs.one.forEach((from, pair) => net.addEdge(from, pairs.other[pair], { far: 1e6 + 1000 - pairs.score[pair] }));
  }
  return graphLibrary.bidirectional(net, one, other, "far")?.map(Number) ?? null;
}
