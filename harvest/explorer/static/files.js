// Lists as files, to the byte as harvest/export/playlists.py writes them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const BLANKS = /[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+/g;
const FORMULA = /^(?:\t|[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[=+\-@＝＋－＠])/;

const field = (text) => text.replace(CONTROL, " ").replaceAll('"', "'").replace(BLANKS, " ").replace(/^ | $/g, "");
const artistTyped = (n) => (tracks.artist[n] === null ? null : tracks.artists[tracks.artist[n]]);

function seconds(ms) {
  if (ms === null) return -1;
  const whole = Math.floor(ms / 1000);
  return ms % 1000 === 500 ? whole + (whole % 2) : Math.round(ms / 1000);
}

function m3u(list, title) {
  const lines = list.map((n) => {
    const name = [artistTyped(n), tracks.title[n]].filter(Boolean).map(field).join(" - ") || `track ${tracks.id[n]}`;
    return `#EXTINF:${seconds(tracks.ms[n])},${name}\n${addressOf(n)}\n`;
  });
  return `#EXTM3U\n#PLAYLIST:${field(title)}\n${lines.join("")}`;
}

function jspf(list, title, now) {
  const object = (entries) => entries.filter(([, value]) => value !== null).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`).join(", ");
  const head = object([["title", title], ["creator", "harvest"], ["date", now]]);
  const told = list.map((n, place) =>
    object([
      ["location", [addressOf(n)]],
      ["identifier", [`soundcloud:tracks:${tracks.id[n]}`]],
      ["title", tracks.title[n]],
      ["creator", artistTyped(n)],
      ["duration", tracks.ms[n]],
      ["trackNum", place + 1],
    ]),
  );
  return `{"playlist": {${head}, "track": [${told.map((one) => `\n{${one}}`).join(",")}\n]}}\n`;
}

function csv(list) {
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : `${value}`);
  const cell = (text) => {
    const plain = (text ?? "").replaceAll("\0", "").replace(/\r\n?/g, "\n");
    return FORMULA.test(plain) ? `'${plain}` : plain;
  };
  const rows = list.map((n) => [tracks.id[n], cell(tracks.title[n]), cell(artistTyped(n)), addressOf(n), tracks.ms[n] ?? ""]);
  return [["track_id", "title", "artist", "address", "duration_ms"], ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

const WRITERS = { csv, m3u, jspf };

function save(list, title, format) {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const address = URL.createObjectURL(new Blob([WRITERS[format](list, title, now)], { type: "text/plain" }));
  const name = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "list";
  const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
