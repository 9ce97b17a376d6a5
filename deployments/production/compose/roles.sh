#!/bin/bash
# Run once by PostgreSQL's image, on an empty volume: roles and databases.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username postgres <<SQL
CREATE ROLE tiendo_owner LOGIN PASSWORD '${OWNER_PASSWORD}';
CREATE ROLE tiendo_app LOGIN PASSWORD '${APP_PASSWORD}';
CREATE ROLE tiendo_trial LOGIN PASSWORD '${TRIAL_PASSWORD}';
CREATE ROLE tiendo_prefect LOGIN PASSWORD '${PREFECT_PASSWORD}';
CREATE DATABASE tiendo OWNER tiendo_owner ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE tiendo_trial OWNER tiendo_trial ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE tiendo_prefect OWNER tiendo_prefect ENCODING 'UTF8' TEMPLATE template0;
\connect tiendo_prefect
CREATE EXTENSION pg_trgm;
SQL
