body='{"eventKey":"repo:refs_changed","repository":{"slug":"shop"}}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$TOKEN" -r | cut -d ' ' -f 1)
curl -i "$URL" -H 'Content-Type: application/json' -H 'X-Event-Key: repo:refs_changed' \
  -H "X-Hub-Signature: sha256=$signature" --data-raw "$body"
