#!/bin/sh
# Registers the namespace TEMPORAL_NAMESPACE, whose histories are kept for RETENTION after their end, and the search
# attributes of data requests. Where they are registered already it changes nothing.
set -eu

# patiently COMMAND...: tries for a minute. A server that listens is not ready yet, nor does it know at once a namespace
# that it has just made.
patiently() {
  tries=60
  until said=$("$@" 2>&1); do
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      echo "$said" >&2
      exit 1
    fi
    sleep 1
  done
  echo "$said"
}

register() {
  temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
}

patiently temporal operator cluster health
patiently register
# One at a time: of several names in one call, the tool registers the first.
for name in MeterkeyStatus MeterkeyUtility MeterkeyRequester MeterkeyWaitingOn; do
  patiently temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --type Keyword --name "$name"
done
