#!/bin/sh
# Run by the postgres image when a shard's volume is empty: a database for each domain, owned by a
# role of the same name that can connect to no other domain's database.
set -eu

create_domain() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
    --set=domain="$1" <<'SQL'
SELECT 'POSTGRES_' || upper(:'domain') || '_PASSWORD' AS variable \gset
\getenv password :variable
CREATE ROLE :"domain" LOGIN PASSWORD :'password';
CREATE DATABASE :"domain" OWNER :"domain";
REVOKE ALL ON DATABASE :"domain" FROM PUBLIC;
SQL
}

create_domain users
create_domain posts
