#!/bin/sh
# Write the passwords that compose.yaml mounts as secrets, into deploy/secrets or the folder that is named. What is there stays: run it again
# after an upgrade that needs more of them, or after you changed a password by hand. HF_TOKEN, if it is set, becomes the token of the workers.
set -eu

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
# The folder keeps other users of this host out; the files within may be read by anybody because each container reads them as a user of its own.
chmod 0700 "$folder"

# `write NAME` takes the contents from its input and never leaves half a file.
write() {
    cat >"$folder/.$1.new"
    chmod 0644 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
}

random() {
    # Letters, digits, - and _: what needs no escape in any file or URL.
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'
}

plain() {
    value=$(cat "$folder/$1")
    case $value in
    '' | *[!A-Za-z0-9._~-]*)
        echo "make-secrets: $folder/$1 must hold letters, digits and . _ ~ - only" >&2
        exit 1
        ;;
    esac
    printf '%s' "$value"
}

for name in database_password broker_password flower_password grafana_password s3_access_key s3_secret_key; do
    [ -s "$folder/$name" ] || random | write "$name"
done
if [ ! -e "$folder/hf_token" ] || [ -n "${HF_TOKEN:-}" ]; then
    printf '%s' "${HF_TOKEN:-}" | write hf_token
fi

# What the servers read follows from the passwords, each time anew.
password=$(plain broker_password)
printf 'requirepass %s\n' "$password" | write valkey.conf
access=$(plain s3_access_key)
secret=$(plain s3_secret_key)
write s3.json <<JSON
{"identities": [{"name": "paragone", "credentials": [{"accessKey": "$access", "secretKey": "$secret"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
echo "secrets are in $folder: keep a copy, no backup of the database replaces them"
