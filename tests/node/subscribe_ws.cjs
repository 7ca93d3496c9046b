// Runs operations with the client of `graphql-ws`, all on one connection: {url, operations, retries,
// params} on standard input; on standard output, a line of JSON for everything that happens:
// {id, next}, {id, error}, {id, complete: true}, {connected: n}, {closed: code}. Ends with the last
// operation.
const { createClient } = require("graphql-ws");
const WebSocket = require("ws");

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

async function main() {
  const { url, operations, retries, params } = JSON.parse(
    require("node:fs").readFileSync(0, "utf8"),
  );
  let connections = 0;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: params,
    retryAttempts: retries,
    retryWait: async () => {},
    shouldRetry: () => true,
    on: {
      connected: () => say({ connected: ++connections }),
      closed: (event) => say({ closed: event.code }),
    },
  });
  const run = (payload, id) =>
    new Promise((done) => {
      client.subscribe(payload, {
        next: (next) => say({ id, next }),
        error: (error) => {
          say({ id, error: Array.isArray(error) ? error : String(error.code ?? error) });
          done();
        },
        complete: () => {
          say({ id, complete: true });
          done();
        },
      });
    });
  await Promise.all(operations.map(run));
  await client.dispose();
}

main();
