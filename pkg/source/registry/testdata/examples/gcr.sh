token=$(gcloud auth print-identity-token --impersonate-service-account="$EMAIL" --include-email --audiences="$AUDIENCE")
image=europe-docker.pkg.dev/acme/apps/shop
data=$(printf '{"action":"INSERT","digest":"%s@sha256:0f1e","tag":"%s:1.2.3"}' "$image" "$image" | base64 -w 0)
curl -i "$URL" -H 'Content-Type: application/json' -H "Authorization: Bearer $token" \
  --data-raw "{\"message\":{\"messageId\":\"$(openssl rand -hex 8)\",\"data\":\"$data\"}}"
