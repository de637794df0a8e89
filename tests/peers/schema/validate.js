// Holds each Pod and ConfigMap of the files against Kubernetes' schema of it; status 1 when one
// does not fit. usage: node validate.js FOLDER FILE..., FOLDER is where npm installed package.json.
const { createRequire } = require("module");
const { readFileSync } = require("fs");

const [folder, ...files] = process.argv.slice(2);
const installed = createRequire(`${folder}/`);
const kinds = {
  Pod: installed("kubernetes-models/v1/Pod").Pod,
  ConfigMap: installed("kubernetes-models/v1/ConfigMap").ConfigMap,
};
let documents = 0;
for (const file of files) {
  for (const document of installed("js-yaml").loadAll(readFileSync(file, "utf8"))) {
    try {
      new kinds[document.kind](document).validate();
      documents++;
    } catch (error) {
      console.log(`${file}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
console.log(`${documents} documents`);
