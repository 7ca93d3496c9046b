// Executes operations with @apollo/gateway, whose subgraphs are reached over HTTP.
// In, as JSON on stdin:  {name: {sdl, operations: [{query, variables}, ...]}, ...}
// Out, as JSON:          {name: {error} | {answers: [{data, errors: [message, ...]} | {error}, ...]}, ...}
const { readFileSync } = require("node:fs");
const { ApolloGateway } = require("@apollo/gateway");
const { parse } = require("graphql");

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const cache = { get: async () => undefined, set: async () => {}, delete: async () => {} };

async function execute({ executor, schema }, { query, variables }) {
  const document = parse(query);
  const definition = document.definitions.find((d) => d.kind === "OperationDefinition");
  try {
    const result = await executor({
      cache,
      context: {},
      document,
      logger: silent,
      metrics: {},
      operation: definition,
      operationName: definition.name?.value ?? null,
      queryHash: query,
      request: { query, variables },
      schema,
      source: query,
    });
    const errors = (result.errors ?? []).map((error) => error.message);
    return { data: result.data ?? null, errors };
  } catch (error) {
    return { error: String(error.message) }; // planning failed
  }
}

async function executeAll({ sdl, operations }) {
  const gateway = new ApolloGateway({ supergraphSdl: sdl, logger: silent });
  try {
    const loaded = await gateway.load();
    const answers = [];
    for (const operation of operations) {
      answers.push(await execute(loaded, operation));
    }
    return { answers };
  } catch (error) {
    return { error: String(error.message) };
  } finally {
    await gateway.stop().catch(() => {}); // a gateway that did not load cannot be stopped
  }
}

async function main() {
  const results = {};
  const waiting = Object.entries(JSON.parse(readFileSync(0, "utf8")));
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      results[next[0]] = await executeAll(next[1]);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker)); // while subgraphs answer, others are planned
  process.stdout.write(JSON.stringify(results), () => process.exit(0)); // sockets are kept alive
}

main();
