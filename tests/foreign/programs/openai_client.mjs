// Hold one conversation through the openai package for Node; prints one JSON object. Run it in the folder of node_modules:
// node openai_client.mjs text <https url> <file of the certificate>

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { OpenAI } = require("openai");
const { OpenAIRealtimeWS } = require("openai/realtime/ws");

const [scenario, baseURL, certificate] = process.argv.slice(2);
const seen = [];
const errors = [];
const client = new OpenAI({ apiKey: "dummy", baseURL });
const socket = new OpenAIRealtimeWS({ model: "gpt-realtime-2.1", options: { ca: readFileSync(certificate) } }, client);

function finish(text) {
  socket.close();
  process.stdout.write(JSON.stringify({ seen, errors, text }), () => process.exit(0));
}

socket.on("event", (event) => seen.push(event.type));
socket.on("error", (error) => {
  errors.push(error.message);
  finish("");
});
socket.on("session.created", () => {
  socket.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } });
  const content = [{ type: "input_text", text: scenario }];
  socket.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  socket.send({ type: "response.create" });
});
socket.on("response.output_text.done", (event) => finish(event.text));
