// Composes sets of subgraphs with @apollo/composition.
// In, as JSON on stdin:  [[{name, url, sdl}, ...], ...]
// Out, as JSON:          [{sdl: string | null, errors: [code, ...], hints: [code, ...]}, ...]
const { readFileSync } = require("node:fs");
const { composeServices } = require("@apollo/composition");
const { parse } = require("graphql");

function compose(subgraphs) {
  try {
    const services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
    const result = composeServices(services);
    return {
      sdl: result.supergraphSdl ?? null,
      errors: (result.errors ?? []).map((error) => error.extensions?.code ?? error.message),
      hints: (result.hints ?? []).map((hint) => hint.definition.code),
    };
  } catch (error) {
    // It throws on a few inputs instead of reporting them.
    return { sdl: null, errors: ["CRASH"], hints: [] };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(compose)));
