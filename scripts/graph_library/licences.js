// Write the licence of every package of which a line is in the bundle.
const fs = require("fs");

const inputs = Object.keys(JSON.parse(fs.readFileSync(process.argv[2])).inputs);
const folders = new Set(inputs.map((name) => name.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
for (const folder of [...folders].sort()) {
  const { name, version, license } = JSON.parse(fs.readFileSync(`${folder}/package.json`));
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? fs.readFileSync(`${folder}/${file}`, "utf8").trim() : `Licensed under ${license}.`;
  process.stdout.write(`${name} ${version} (${license})\n\n${text}\n\n${"-".repeat(80)}\n\n`);
}
