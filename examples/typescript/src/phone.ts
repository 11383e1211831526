// The customer's phone at the practice utilities. A real backend asks its customer instead.
import { setTimeout as sleep } from "node:timers/promises";

interface Message {
  at: string;
  code: string;
}

/** Waits for a message that was not read before, and returns its code. */
export class Phone {
  private read = 0;

  constructor(private readonly inbox: string) {}

  async code(patienceMs = 30_000): Promise<string> {
    for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(200)) {
      const response = await fetch(this.inbox);
      if (!response.ok) throw new Error(`the practice phone answers ${response.status}`);
      const messages = (await response.json()) as Message[];
      const newest = messages.at(-1);
      if (newest && messages.length > this.read) {
        this.read = messages.length;
        return newest.code;
      }
    }
    throw new Error("no code reached the practice phone");
  }
}
