// Embeds texts with one JavaScript client of OpenAI's interface, as python_clients.py does:
//
//     node javascript_clients.mjs CLIENT URL FOLDER < texts.json > found.json
//
// FOLDER has the `node_modules` of package.json.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const [name, url, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const MODEL = "minilm-fair";
const OTHER = "text-embedding-3-small";

function openai() {
  const OpenAI = require("openai").default;
  const client = new OpenAI({ baseURL: url, apiKey: "unused", maxRetries: 0 });
  const embed = async (input, options = {}) =>
    (await client.embeddings.create({ model: MODEL, input, ...options })).data.map((item) => Array.from(item.embedding));
  return {
    embed,
    embedOne: async (text) => (await embed(text))[0],
    otherModel: (text) => embed(text, { model: OTHER }),
    variants: {
      float: (texts) => embed(texts, { encoding_format: "float" }),
      base64: async (texts) => {
        const answer = await client.embeddings.create({ model: MODEL, input: texts, encoding_format: "base64" });
        return answer.data.map((item) =>
          Array.from(new Float32Array(Uint8Array.from(Buffer.from(item.embedding, "base64")).buffer)),
        );
      },
      null: (texts) => embed(texts, { encoding_format: null, dimensions: null, user: null }),
    },
    models: async () => {
      const found = [];
      for await (const model of client.models.list()) found.push(model.id);
      return [...found, (await client.models.retrieve(MODEL)).id];
    },
    refused: {
      "token arrays": () => embed([[2028, 374, 264, 1296]]),
      "too many": () => embed(Array(2049).fill("x")),
      "unknown model": () => client.models.retrieve(OTHER),
      chat: () => client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: "hello" }] }),
    },
  };
}

function langchain() {
  const { OpenAIEmbeddings } = require("@langchain/openai");
  const client = (model, batchSize) =>
    new OpenAIEmbeddings({ model, batchSize, apiKey: "unused", maxRetries: 0, configuration: { baseURL: url } });
  return {
    embed: (texts) => client(MODEL, 2048).embedDocuments(texts),
    embedOne: (text) => client(MODEL).embedQuery(text),
    otherModel: (text) => client(OTHER).embedQuery(text),
    variants: { "default batches": (texts) => client(MODEL).embedDocuments(texts) },
  };
}

function aiSdk() {
  const { embed, embedMany } = require("ai");
  const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({ name: "evenmatch", baseURL: url, apiKey: "unused" });
  const one = async (value, model = MODEL) =>
    (await embed({ model: provider.embeddingModel(model), value, maxRetries: 0 })).embedding;
  return {
    embed: async (values) =>
      (await embedMany({ model: provider.embeddingModel(MODEL), values, maxRetries: 0 })).embeddings,
    embedOne: one,
    otherModel: (text) => one(text, OTHER),
  };
}

async function messageOf(ask) {
  try {
    await ask();
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
  return "";
}

const CLIENTS = { openai, langchain, "ai-sdk": aiSdk };
const texts = JSON.parse(readFileSync(0, "utf8"));
const client = CLIENTS[name]();
const found = {
  one: await client.embedOne(texts.few[0]),
  few: await client.embed(texts.few),
  some: await client.embed(texts.some),
  many: await client.embed(texts.many),
  variants: {},
  models: client.models ? await client.models() : null,
  errors: {
    "other model": await messageOf(() => client.otherModel(texts.few[0])),
    "empty text": await messageOf(() => client.embed([texts.few[0], ""])),
  },
};
for (const [variant, ask] of Object.entries(client.variants ?? {})) found.variants[variant] = await ask(texts.few);
for (const [what, ask] of Object.entries(client.refused ?? {})) found.errors[what] = await messageOf(ask);
process.stdout.write(JSON.stringify(found));
