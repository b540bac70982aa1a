#!/bin/sh
# Make the files of secrets that docker-compose.yml mounts: docker/secrets.sh [sqlite|postgres] [FOLDER]
#
# What exists is kept, so it is safe to run again; only `sqlite` and `postgres`, if given, write database_url anew.
# The folder is closed to other users of this machine. The files in it are readable, since each container reads them
# as a user of its own.
set -eu

database=${1:-}
folder=${2:-$(dirname "$0")/secrets}
case $database in
'' | sqlite | postgres) ;;
*)
    echo "usage: $0 [sqlite|postgres] [FOLDER]" >&2
    exit 2
    ;;
esac

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# Written beside its place and renamed: never half a secret.
keep() {
    printf '%s' "$2" >"$folder/.$1"
    chmod 644 "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
}

mkdir -p "$folder"
chmod 700 "$folder"
for name in log_key keys_secret grafana_password postgres_password; do
    [ -s "$folder/$name" ] || keep "$name" "$(random)"
done
if [ "$database" = postgres ]; then
    keep database_url "postgresql://evenmatch:$(cat "$folder/postgres_password")@postgres:5432/evenmatch"
elif [ "$database" = sqlite ] || [ ! -e "$folder/database_url" ]; then
    keep database_url "" # empty: a SQLite file in the volume `data`
fi
echo "secrets are in $folder"
