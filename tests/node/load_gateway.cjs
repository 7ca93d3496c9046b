// Loads supergraphs into @apollo/gateway.
// In, as JSON on stdin:  [sdl, ...]
// Out, as JSON:          [null | the error's message, ...]
const { readFileSync } = require("node:fs");
const { ApolloGateway } = require("@apollo/gateway");

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function load(supergraphSdl) {
  const gateway = new ApolloGateway({ supergraphSdl, logger: silent });
  try {
    await gateway.load();
    return null;
  } catch (error) {
    return String(error.message);
  } finally {
    await gateway.stop().catch(() => {}); // a gateway that did not load cannot be stopped
  }
}

async function main() {
  const results = [];
  for (const sdl of JSON.parse(readFileSync(0, "utf8"))) {
    results.push(await load(sdl));
  }
  console.log(JSON.stringify(results));
}

main();
