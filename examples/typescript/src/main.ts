// Asks a customer for access to their utility account, answers for them, and prints their meters.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { codec, readKeys } from "./codec.js";
import { type Challenge, type Credentials, type DataRequest, hasEnded, type State } from "./contract.js";
import { Meterkey } from "./meterkey.js";
import { Phone } from "./phone.js";

const usage = `Usage: node dist/main.js [--id ID] [--json] UTILITY < login.json

ID names the data request; one is made up otherwise. login.json holds {"username": "…", "password": "…"}.

TEMPORAL_ADDRESS    where Temporal is (default localhost:7233)
TEMPORAL_NAMESPACE  its namespace (default "default")
MK_RECIPIENT        the workers' recipient (age1…), or the file that holds it
MK_PAYLOAD_KEYS     the file of payload keys, if the workers have one
PRACTICE_URL        the practice utilities, whose phone receives the codes`;

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set\n\n${usage}`);
  return value;
}

function recipient(): string {
  const value = required("MK_RECIPIENT");
  return value.startsWith("age1") ? value : readFileSync(value, "utf8").trim();
}

async function readLogin(): Promise<Credentials> {
  const login = JSON.parse(await text(process.stdin)) as Credentials;
  if (!login.username || !login.password) throw new Error(`standard input holds no login\n\n${usage}`);
  return login;
}

/** Answers as the customer would: with the first way of sending the code, or with what reached the phone. */
async function answer(meterkey: Meterkey, id: string, challenge: Challenge, phone: Phone): Promise<State> {
  if (challenge.kind === "method_choice") return await meterkey.choose(id, challenge.id, challenge.options[0]?.id ?? "");
  return await meterkey.submitCode(id, challenge.id, await phone.code());
}

async function connectAccount(meterkey: Meterkey, request: DataRequest, login: Credentials, phone: Phone): Promise<State> {
  const id = request.request_id;
  await meterkey.start(request);
  let state = await meterkey.submitLogin(id, login);
  while (!hasEnded(state) && !isBack(state)) {
    tell(state);
    const { challenge } = state;
    if (state.waiting_on === "customer" && challenge) state = await answer(meterkey, id, challenge, phone);
    else state = await meterkey.next(id, state);
  }
  tell(state);
  return state;
}

const tell = (state: State): void =>
  console.error(`${state.status}${state.reason && ` (${state.reason})`}: ${state.message}`);

/** Whether the customer has to sign in once more, which this example leaves at that. */
const isBack = (state: State): boolean =>
  state.status === "awaiting_mfa_off" || (state.status === "awaiting_login" && state.reason !== "");

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { id: { type: "string" }, json: { type: "boolean" } },
    allowPositionals: true,
  });
  const [utility] = positionals;
  if (!utility) throw new Error(usage);
  const login = await readLogin();
  const inbox = `${required("PRACTICE_URL")}/inbox/${utility}/${encodeURIComponent(login.username)}`;

  const connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] || "localhost:7233" });
  try {
    const temporal = new Client({
      connection,
      namespace: process.env["TEMPORAL_NAMESPACE"] || "default",
      dataConverter: { payloadCodecs: [codec(readKeys(process.env["MK_PAYLOAD_KEYS"]))] },
    });
    const request = {
      request_id: values.id ?? randomUUID(),
      requester: "acme",
      requester_name: "Acme Solar",
      utility,
    };
    const state = await connectAccount(new Meterkey(temporal, recipient()), request, login, new Phone(inbox));
    if (values.json) console.log(JSON.stringify(state.meters));
    else console.table(state.meters);
    return state.status === "connected" ? 0 : 1;
  } finally {
    await connection.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
