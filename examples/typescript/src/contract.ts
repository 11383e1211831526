// The documents and names of docs/contract.md, as far as this backend needs them.

export interface DataRequest {
  request_id: string;
  requester: string;
  requester_name?: string;
  requester_email?: string;
  customer_email?: string;
  utility: string;
  link?: string;
}

export interface Credentials {
  username: string;
  password: string;
}

export interface Option {
  id: string;
  label: string;
  target?: string;
}

export interface Challenge {
  id: string;
  kind: "number_code" | "security_answer" | "method_choice";
  prompt: string;
  sent_to?: string;
  options: Option[];
  expires_at: string;
  tries_left: number;
}

export interface Meter {
  account_number?: string;
  meter_number?: string;
  service_identifier?: string;
  service_address?: string;
  service_class?: string;
  tariff?: string;
  status?: string;
}

export interface State {
  request_id: string;
  status: string;
  reason: string;
  waiting_on: "customer" | "utility" | "requester" | "operator" | "nobody";
  since: string;
  message: string;
  challenge?: Challenge;
  meters: Meter[];
  ignored?: { signal: string; why: string; at: string }[];
  revision: number;
}

const terminal = new Set(["connected", "declined", "canceled", "expired", "failed"]);

export const hasEnded = (state: State): boolean => terminal.has(state.status);
