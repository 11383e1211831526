// How documents are wrapped in Temporal: "How payloads are encoded" in docs/contract.md.
import { createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import { decompress } from "fzstd";

const nonceBytes = 12;
const tagBytes = 16;

/** Keys by their ids. */
export type Keys = Map<string, Buffer>;

/** Reads a file as MK_PAYLOAD_KEYS names it: a line for each key, with its id and 32 bytes in base64. */
export function readKeys(file: string | undefined): Keys {
  if (!file) return new Map();
  const lines = readFileSync(file, "utf8").split("\n").map((line) => line.trim());
  const pairs = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(/\s+/));
  return new Map(pairs.map(([id = "", secret = ""]) => [id, Buffer.from(secret, "base64")]));
}

/** Unwraps what workers send. What we send needs no wrapping: secrets in it are sealed. */
export function codec(keys: Keys): PayloadCodec {
  return {
    encode: async (payloads) => payloads,
    decode: async (payloads) => payloads.map((payload) => unwrap(payload, keys)),
  };
}

function unwrap(payload: Payload, keys: Keys): Payload {
  const data = payload.data ?? new Uint8Array();
  switch (metadata(payload, "encoding")) {
    case "binary/meterkey-aes256gcm":
      return unwrap(parse(decrypt(payload, data, keys)), keys);
    case "binary/meterkey-zstd":
      return unwrap(parse(decompress(data)), keys);
    default:
      return payload;
  }
}

function decrypt(payload: Payload, data: Uint8Array, keys: Keys): Uint8Array {
  const id = metadata(payload, "meterkey-key");
  const key = keys.get(id);
  if (!key) throw new Error(`no payload key has the id ${JSON.stringify(id)}`);
  const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(0, nonceBytes));
  decipher.setAAD(Buffer.from(`binary/meterkey-aes256gcm ${id} ${metadata(payload, "meterkey-workflow")}`));
  decipher.setAuthTag(data.subarray(data.length - tagBytes));
  return Buffer.concat([decipher.update(data.subarray(nonceBytes, data.length - tagBytes)), decipher.final()]);
}

const parse = (data: Uint8Array): Payload => proto.temporal.api.common.v1.Payload.decode(data);

const metadata = (payload: Payload, name: string): string => Buffer.from(payload.metadata?.[name] ?? []).toString();
