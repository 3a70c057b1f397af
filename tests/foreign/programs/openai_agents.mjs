// Hold one conversation through @openai/agents-realtime; prints one JSON object. Run it in the folder of node_modules:
// node openai_agents.mjs text|spoken|spoken_tool|tool|handoff|interruption <url> [<file of pcm16>]

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } = require("@openai/agents-realtime");
const { z } = require("zod");

const [scenario, url, path] = process.argv.slice(2);
const turns = { text: 1, spoken: 1, spoken_tool: 2, tool: 2, handoff: 2, interruption: 2 }[scenario];
const seen = [];
const errors = [];
let audio = 0;
let ended = 0;
let isSpeaking = false;

const getWeather = tool({
  name: "get_weather",
  description: "Tell the weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const refunds = new RealtimeAgent({ name: "refunds", instructions: "You refund." });
const agent = new RealtimeAgent({ name: "main", instructions: "You help.", tools: [getWeather], handoffs: [refunds] });
const session = new RealtimeSession(agent, {
  transport: new OpenAIRealtimeWebSocket({ url }),
  config: { audio: { input: { turnDetection: { type: "server_vad", silenceDurationMs: 300, interruptResponse: true } } } },
});

function speak() {
  const sound = readFileSync(path);
  for (let at = 0; at < sound.length; at += 4800) {
    const chunk = sound.subarray(at, at + 4800);
    session.sendAudio(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.length));
  }
}

function finish() {
  const history = session.history.map(({ itemId, previousItemId, ...item }) => item);
  session.close();
  process.stdout.write(JSON.stringify({ seen, errors, audio, history }), () => process.exit(0));
}

session.on("error", (error) => errors.push(JSON.stringify(error)));
session.transport.on("audio", (event) => {
  audio += event.data.byteLength;
  if (scenario === "interruption" && !isSpeaking && audio > 24000) {
    isSpeaking = true;
    speak();
  }
});
for (const name of ["agent_start", "agent_tool_start", "agent_tool_end", "agent_handoff", "audio_interrupted"]) {
  session.on(name, () => seen.push(name));
}
session.on("agent_end", () => {
  seen.push("agent_end");
  ended += 1;
  if (ended === turns) setImmediate(finish);
});

await session.connect({ apiKey: "dummy", url });
if (scenario.startsWith("spoken")) speak();
else session.sendMessage(scenario);
