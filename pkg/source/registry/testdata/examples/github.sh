body='{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$TOKEN" -r | cut -d ' ' -f 1)
curl -i "$URL" -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' -H "X-GitHub-Delivery: $(openssl rand -hex 16)" \
  -H "X-Hub-Signature-256: sha256=$signature" --data-raw "$body"
