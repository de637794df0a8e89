// Holds the fields of labs/17-pod/schema.c against Kubernetes' schema: each type, and each field of
// it with the type of what it holds. Kubernetes may have newer ones here, but none may be missing.
// usage: node fields.js FOLDER schema.c, FOLDER is where npm installed package.json.
const { existsSync, readFileSync } = require("fs");

const [folder, source] = process.argv.slice(2);
const models = `${folder}/node_modules/kubernetes-models`;
const groups = ["v1", "apps/v1", "batch/v1"];
let fields = 0;

function wrong(message) {
  console.log(message);
  process.exitCode = 1;
}

// {"TYPE", "FIELD FIELD:TYPE FIELD*TYPE"}: strings of C that stand one behind the other
const table = new Map();
for (const [, type, strings] of readFileSync(source, "utf8").matchAll(
  /^\t\{"(\w+)",\s*((?:"[^"]*"\s*)+)\}/gm
)) {
  const words = strings.replace(/"\s*"/g, "").replace(/"/g, "").trim().split(/\s+/);
  table.set(type, new Map(words.map((word) => word.match(/^(\w+)([:*]?\w*)$/).slice(1))));
}

for (const [type, known] of table) {
  const file = groups.map((group) => `${models}/${group}/${type}.d.ts`).find(existsSync);
  if (!file) continue; // of apimachinery, or newer than the schema
  const shape = readFileSync(file, "utf8").match(/export interface \w+[^{]*\{([\s\S]*?)^\}/m)[1];
  for (const [, name, value] of shape.matchAll(/^    "(\w+)"\??: ([^;]*);/gm)) {
    fields++;
    const held = value.match(/IIoK8sApi(?:Core|Apps|Batch)V1(\w+)/);
    if (!known.has(name)) wrong(`${type}.${name}: in Kubernetes' schema, and not in ${source}`);
    else if (held && !/Status$/.test(held[1])) {
      const expected = (/Array</.test(value) ? "*" : ":") + held[1];
      if (known.get(name) !== expected)
        wrong(`${type}.${name}: expected ${expected}, found '${known.get(name)}'`);
    }
  }
}
console.log(`${fields} fields`);
