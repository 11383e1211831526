// A client for data requests: docs/contract.md in TypeScript.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { Encrypter } from "age-encryption";
import type { Credentials, DataRequest, State } from "./contract.js";

/** Seals a text so that only the workers can open it: base64 of a binary age file. */
async function seal(recipient: string, text: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(text)).toString("base64");
}

/** Starts, answers and follows data requests. Recipient is the workers' ("age1…"). */
export class Meterkey {
  constructor(private readonly temporal: Client, private readonly recipient: string) {}

  /** Starts a data request. Throws WorkflowExecutionAlreadyStartedError when the id was used before. */
  async start(request: DataRequest): Promise<void> {
    await this.temporal.workflow.start("DataRequest", {
      workflowId: workflowId(request.request_id),
      taskQueue: "data-requests",
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      workflowIdConflictPolicy: "FAIL",
      args: [request],
    });
  }

  async state(id: string): Promise<State> {
    return await this.handle(id).query<State>("status");
  }

  /** Submits a login. Resolves to the state that it led to; rejects with a WorkflowUpdateFailedError where none is awaited. */
  async submitLogin(id: string, login: Credentials): Promise<State> {
    const credentials = await seal(this.recipient, JSON.stringify({ username: login.username, password: login.password }));
    return await this.submit(id, "submit-login", { credentials });
  }

  /** Answers a challenge with a code or a security answer, likewise. */
  async submitCode(id: string, challengeId: string, answer: string): Promise<State> {
    return await this.submit(id, "submit-code", { challenge_id: challengeId, code: await seal(this.recipient, answer) });
  }

  /** Chooses how the utility is to send its code, likewise. */
  async choose(id: string, challengeId: string, option: string): Promise<State> {
    return await this.submit(id, "choose", { challenge_id: challengeId, option });
  }

  /** Waits until the request has moved on from a state. */
  async next(id: string, seen: State, everyMs = 500): Promise<State> {
    for (;;) {
      const state = await this.state(id);
      if (state.revision !== seen.revision || state.since !== seen.since) return state;
      await sleep(everyMs);
    }
  }

  private async submit(id: string, update: string, argument: object): Promise<State> {
    return await this.handle(id).executeUpdate<State, [object]>(update, { args: [argument] });
  }

  private handle(id: string) {
    return this.temporal.workflow.getHandle(workflowId(id));
  }
}

const workflowId = (requestId: string): string => `data-request-${requestId}`;
