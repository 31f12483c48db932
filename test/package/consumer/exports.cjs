// The same as exports.mjs through require, and whether both ways give the same objects.
const entries = process.argv.slice(2);

async function main() {
  const found = {};
  for (const entry of entries) {
    const required = require(entry);
    const imported = await import(entry);
    const names = Object.keys(required).filter((name) => name !== "__esModule");
    found[entry] = names.filter((name) => required[name] === imported[name]).sort();
  }
  console.log(JSON.stringify(found));
}

void main();
