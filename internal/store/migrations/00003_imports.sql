-- Files of customers that are sent data requests together, and what became of each line.

-- +goose Up
CREATE TABLE imports (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  file_name TEXT NOT NULL,
  ignored TEXT NOT NULL,
  created TIMESTAMP NOT NULL,
  started TIMESTAMP
);
CREATE INDEX imports_requester ON imports (requester_uid, created, uid);

CREATE TABLE import_rows (
  import_uid exact_text NOT NULL REFERENCES imports (uid) ON DELETE CASCADE,
  line BIGINT NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  nickname TEXT NOT NULL,
  utility TEXT NOT NULL,
  expires TEXT NOT NULL,
  outcome exact_text NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (import_uid, line)
);
CREATE INDEX import_rows_outcome ON import_rows (import_uid, outcome, line);
