-- The tables, in words that SQLite and PostgreSQL both know; 00001 gives PostgreSQL the types exact_text and blob.
-- All times are UTC. Lists are read newest first by (created, uid), so their indexes end in these two.

-- +goose Up
CREATE TABLE requesters (
  uid exact_text PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  created TIMESTAMP NOT NULL,
  disabled BOOLEAN NOT NULL
);

CREATE TABLE users (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  email exact_text NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created TIMESTAMP NOT NULL
);
CREATE INDEX users_requester ON users (requester_uid, email);

CREATE TABLE sessions (
  token_hash exact_text PRIMARY KEY,
  user_uid exact_text NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
  created TIMESTAMP NOT NULL,
  expires TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_uid);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE api_keys (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash exact_text NOT NULL UNIQUE,
  created TIMESTAMP NOT NULL,
  expires TIMESTAMP,
  last_used TIMESTAMP,
  revoked TIMESTAMP
);
CREATE INDEX api_keys_requester ON api_keys (requester_uid, created, uid);

CREATE TABLE requests (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  template_uid exact_text NOT NULL,
  authorization_uid exact_text NOT NULL,
  utility exact_text NOT NULL,
  customer_email TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  nickname TEXT NOT NULL,
  scope TEXT NOT NULL,
  is_archived BOOLEAN NOT NULL,
  disabled BOOLEAN NOT NULL,
  is_test BOOLEAN NOT NULL,
  created TIMESTAMP NOT NULL,
  updated TIMESTAMP NOT NULL,
  chosen_utility exact_text NOT NULL,
  status exact_text NOT NULL,
  reason exact_text NOT NULL,
  waiting_on exact_text NOT NULL,
  since TIMESTAMP NOT NULL,
  until TIMESTAMP,
  message TEXT NOT NULL,
  challenge TEXT,
  timeline TEXT,
  revision BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  linked_at TIMESTAMP NOT NULL,
  signed_in BOOLEAN NOT NULL,
  meters BIGINT NOT NULL,
  sent_at TIMESTAMP,
  opened_at TIMESTAMP,
  signed_in_at TIMESTAMP,
  code_asked_at TIMESTAMP,
  connected_at TIMESTAMP,
  ended_at TIMESTAMP,
  consent TEXT,
  deleted TIMESTAMP
);
CREATE INDEX requests_newest ON requests (requester_uid, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_status ON requests (requester_uid, status, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_utility ON requests (requester_uid, chosen_utility, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_utility_status ON requests (requester_uid, chosen_utility, status, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_template ON requests (requester_uid, template_uid, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_authorization ON requests (authorization_uid, created, uid) WHERE deleted IS NULL;
CREATE INDEX requests_archived ON requests (requester_uid, created, uid) WHERE deleted IS NULL AND is_archived = TRUE;
CREATE INDEX requests_test ON requests (requester_uid, created, uid) WHERE deleted IS NULL AND is_test = TRUE;
CREATE INDEX requests_updated ON requests (requester_uid, updated) WHERE deleted IS NULL;
CREATE INDEX requests_open ON requests (uid) WHERE deleted IS NULL AND ended_at IS NULL;
CREATE INDEX requests_asking ON requests (status) WHERE deleted IS NULL;
-- The dashboard's numbers are counted from these two alone, without the table.
CREATE INDEX requests_numbers ON requests (requester_uid, is_test, created, status, chosen_utility, is_archived,
  sent_at, opened_at, signed_in_at, code_asked_at, connected_at) WHERE deleted IS NULL;
CREATE INDEX requests_connected ON requests (requester_uid, is_test, connected_at) WHERE deleted IS NULL;

-- What a search may begin with, in lower case.
CREATE TABLE search_index (
  request_uid exact_text NOT NULL REFERENCES requests (uid) ON DELETE CASCADE,
  requester_uid exact_text NOT NULL,
  term exact_text NOT NULL,
  PRIMARY KEY (request_uid, term)
);
CREATE INDEX search_index_term ON search_index (requester_uid, term, request_uid);

CREATE TABLE authorizations (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  form_uid exact_text NOT NULL,
  template_uid exact_text NOT NULL,
  created TIMESTAMP NOT NULL,
  customer_email TEXT NOT NULL,
  utility exact_text NOT NULL,
  consent TEXT,
  scope TEXT NOT NULL,
  declined TIMESTAMP,
  expires TIMESTAMP,
  is_expired BOOLEAN NOT NULL,
  told_expiring BOOLEAN NOT NULL,
  revoked TIMESTAMP,
  is_archived BOOLEAN NOT NULL,
  is_test BOOLEAN NOT NULL,
  nickname TEXT NOT NULL,
  notes TEXT,
  status exact_text NOT NULL,
  status_message TEXT NOT NULL,
  status_ts TIMESTAMP NOT NULL,
  referral exact_text NOT NULL,
  meter_count BIGINT NOT NULL
);
CREATE INDEX authorizations_newest ON authorizations (requester_uid, created, uid);
CREATE INDEX authorizations_form ON authorizations (requester_uid, form_uid, created, uid);
CREATE INDEX authorizations_template ON authorizations (requester_uid, template_uid, created, uid);
CREATE INDEX authorizations_referral ON authorizations (requester_uid, referral, created, uid);
CREATE INDEX authorizations_utility ON authorizations (requester_uid, utility, created, uid);
CREATE INDEX authorizations_archived ON authorizations (requester_uid, created, uid) WHERE is_archived = TRUE;
CREATE INDEX authorizations_test ON authorizations (requester_uid, created, uid) WHERE is_test = TRUE;
CREATE INDEX authorizations_declined ON authorizations (requester_uid, created, uid) WHERE declined IS NOT NULL;
CREATE INDEX authorizations_revoked ON authorizations (requester_uid, created, uid) WHERE revoked IS NOT NULL;
CREATE INDEX authorizations_expired ON authorizations (requester_uid, created, uid) WHERE is_expired = TRUE;
CREATE INDEX authorizations_expires ON authorizations (expires) WHERE is_expired = FALSE AND expires IS NOT NULL;

CREATE TABLE meters (
  uid exact_text PRIMARY KEY,
  authorization_uid exact_text NOT NULL REFERENCES authorizations (uid) ON DELETE CASCADE,
  requester_uid exact_text NOT NULL,
  utility exact_text NOT NULL,
  created TIMESTAMP NOT NULL,
  position BIGINT NOT NULL,
  account_number TEXT NOT NULL,
  meter_number TEXT NOT NULL,
  service_identifier TEXT NOT NULL,
  service_address TEXT NOT NULL,
  service_class TEXT NOT NULL,
  tariff TEXT NOT NULL,
  status TEXT NOT NULL,
  is_archived BOOLEAN NOT NULL,
  is_test BOOLEAN NOT NULL
);
CREATE INDEX meters_newest ON meters (requester_uid, created, uid);
CREATE INDEX meters_authorization ON meters (authorization_uid, created, uid);
CREATE INDEX meters_position ON meters (authorization_uid, position);
CREATE INDEX meters_utility ON meters (requester_uid, utility, created, uid);
CREATE INDEX meters_archived ON meters (requester_uid, created, uid) WHERE is_archived = TRUE;

CREATE TABLE events (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  type exact_text NOT NULL,
  ts TIMESTAMP NOT NULL,
  authorization_uid exact_text NOT NULL,
  meter_uid exact_text NOT NULL,
  form_uid exact_text NOT NULL,
  batch_uid exact_text NOT NULL,
  delivery_target TEXT NOT NULL,
  is_delivered BOOLEAN NOT NULL
);
CREATE INDEX events_newest ON events (requester_uid, ts, uid);
CREATE INDEX events_delivered ON events (requester_uid, is_delivered, ts, uid);
CREATE INDEX events_batch ON events (batch_uid, ts, uid);

CREATE TABLE webhooks (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  url TEXT NOT NULL,
  secret_sealed TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  created TIMESTAMP NOT NULL
);
CREATE INDEX webhooks_requester ON webhooks (requester_uid, created, uid);

CREATE TABLE deliveries (
  uid exact_text PRIMARY KEY,
  requester_uid exact_text NOT NULL,
  webhook_uid exact_text NOT NULL REFERENCES webhooks (uid) ON DELETE CASCADE,
  batch_uid exact_text NOT NULL,
  status exact_text NOT NULL,
  event_count BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  last_status BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  created TIMESTAMP NOT NULL,
  started TIMESTAMP,
  finished TIMESTAMP
);
CREATE INDEX deliveries_requester ON deliveries (requester_uid, created, uid);
CREATE INDEX deliveries_webhook ON deliveries (webhook_uid, created, uid);
CREATE INDEX deliveries_due ON deliveries (created) WHERE status = 'pending' AND started IS NULL;

CREATE TABLE presences (
  request_uid exact_text NOT NULL REFERENCES requests (uid) ON DELETE CASCADE,
  tab exact_text NOT NULL,
  state exact_text NOT NULL,
  seen TIMESTAMP NOT NULL,
  PRIMARY KEY (request_uid, tab)
);
CREATE INDEX presences_seen ON presences (seen);

CREATE TABLE idempotency (
  requester_uid exact_text NOT NULL REFERENCES requesters (uid),
  key exact_text NOT NULL,
  endpoint TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  status BIGINT NOT NULL,
  body blob,
  created TIMESTAMP NOT NULL,
  PRIMARY KEY (requester_uid, key)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- Files of customers that are sent data requests together, and what became of each line.
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
