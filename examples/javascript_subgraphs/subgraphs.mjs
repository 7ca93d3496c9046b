// Two subgraphs in JavaScript, with nothing but the npm package `graphql`: `node subgraphs.mjs`.
// Both know `Product` by its `id`; `products` has the names, `stock` how many there are.
import { createServer } from "node:http";
import { buildSchema, graphql } from "graphql";

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"])`;
// What the router asks beside a subgraph's own fields: entities that another subgraph has
// mentioned, by their keys and in their order, and the schema, where the configuration has no file.
const FEDERATION = `extend type Query {
    _entities(representations: [_Any!]!): [_Entity]!
    _service: _Service!
  }
  scalar _Any
  union _Entity = Product
  type _Service { sdl: String! }`;

function subgraph(sdl, resolvers) {
  const schema = buildSchema(`${LINK} ${sdl} ${FEDERATION}`, { assumeValidSDL: true });
  const rootValue = { ...resolvers, _service: { sdl: `${LINK} ${sdl}` } };
  return ({ query, variables }) =>
    graphql({ schema, rootValue, source: query, variableValues: variables });
}

const names = { 1: "Teapot", 2: "Kettle" };
const stock = { 1: 4, 2: 0 };
const subgraphs = {
  "/products": subgraph(
    `type Query { products: [Product!]! }
     type Product @key(fields: "id") { id: ID! name: String! }`,
    {
      products: Object.entries(names).map(([id, name]) => ({ id, name })),
      _entities: ({ representations }) =>
        representations.map(({ __typename, id }) => ({ __typename, id, name: names[id] })),
    },
  ),
  "/stock": subgraph(
    `type Query { soldOut: [Product!]! }
     type Product @key(fields: "id") { id: ID! inStock: Int! }`,
    {
      soldOut: Object.keys(stock).filter((id) => !stock[id]).map((id) => ({ id, inStock: 0 })),
      _entities: ({ representations }) =>
        representations.map(({ __typename, id }) => ({ __typename, id, inStock: stock[id] })),
    },
  ),
};

createServer(async (request, response) => {
  const body = (await request.toArray()).join("");
  const result = await subgraphs[request.url](JSON.parse(body));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(result));
}).listen(process.env.PORT ?? 4001, function () {
  console.log(`Subgraphs on port ${this.address().port}`);
});
