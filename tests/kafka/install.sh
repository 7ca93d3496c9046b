#!/usr/bin/env bash
# Fetches the jars of a Kafka broker for the tests into .cache/kafka (45 MB, once).
# Always succeeds: where Java, Maven or the registry is missing, the tests that need Kafka are skipped.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
cache=$here/../../.cache/kafka
wanted=$(cksum <"$here/pom.xml")

[ "$(cat "$cache/.installed" 2>/dev/null)" = "$wanted" ] && exit 0
for tool in java mvn timeout; do
  if ! command -v "$tool" >/dev/null; then
    echo "Kafka is not installed, since there is no '$tool'; the tests that need it will be skipped."
    exit 0
  fi
done
echo "Fetching Kafka for the tests …"
rm -rf "$cache"
mkdir -p "$cache/jars"
if timeout 170 mvn --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies \
  -DoutputDirectory="$(cd "$cache/jars" && pwd)" -DincludeScope=runtime >"$cache/log" 2>&1 </dev/null; then
  echo "$wanted" >"$cache/.installed"
else
  echo "Kafka could not be fetched; the tests that need it will be skipped:"
  tail -n 5 "$cache/log"
fi
