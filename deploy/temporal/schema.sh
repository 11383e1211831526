#!/bin/sh
# Brings the tables of Temporal's two databases to this version, making what is missing. What is there already stays, so
# it runs before every start of the server.
#
# The tool reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD; SCHEMA is the folder of the tables' versions.
set -eu
SQL_PASSWORD=$(cat "$SQL_PASSWORD_FILE")
export SQL_PASSWORD

bring() {
  temporal-sql-tool --db "$1" create
  temporal-sql-tool --db "$1" setup-schema -v 0.0
  temporal-sql-tool --db "$1" update-schema -d "$SCHEMA/$2/versioned"
}

bring temporal temporal
bring temporal_visibility visibility
