// Runs an operation as a stream: {url, protocol, query, method, take} on standard
// input (the protocol is "sse", "multipart" or "defer"), on standard output {messages}: what the client of that protocol gives its user, up to `take`
// messages, or to the end.
const { createClient } = require("graphql-sse");
const { meros } = require("meros/browser");

const readers = {
  async *sse({ url, query, method }) {
    const headers = { "apollo-require-preflight": "1" };
    const fetchFn = (target, init) =>
      method === "GET"
        ? fetch(`${target}?query=${encodeURIComponent(query)}`, {
            headers: { accept: init.headers.accept, ...headers },
            signal: init.signal,
          })
        : fetch(target, init);
    const client = createClient({ url, headers, fetchFn, retryAttempts: 0 });
    yield* client.iterate({ query });
  },
  multipart: (given) => parts("multipart/mixed;boundary=graphql;subscriptionSpec=1.0", given),
  defer: (given) => parts("multipart/mixed;deferSpec=20220824", given),
};

async function* parts(accept, { url, query }) {
  const response = await fetch(url, {
    method: "POST",
    headers: { accept: `${accept},application/json`, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  for await (const part of await meros(response)) {
    if (!part.json) throw new Error(`a part is no JSON: ${part.body}`);
    yield part.body;
  }
}

async function main() {
  const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const messages = [];
  for await (const message of readers[given.protocol](given)) {
    messages.push(message);
    if (messages.length === given.take) break;
  }
  process.stdout.write(JSON.stringify({ messages }));
  process.exit(0); // what else is open is the server's to notice
}

main();
