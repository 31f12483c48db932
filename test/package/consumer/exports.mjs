// Prints what each entry point given on the command line exports: {"holdfast": ["connect", …]}.
const found = {};
for (const entry of process.argv.slice(2)) found[entry] = Object.keys(await import(entry)).sort();
console.log(JSON.stringify(found));
