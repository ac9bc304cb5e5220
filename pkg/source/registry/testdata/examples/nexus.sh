body='{"action":"UPDATED","repositoryName":"docker-hosted"}'
signature=$(printf %s "$body" | openssl dgst -sha1 -hmac "$TOKEN" -r | cut -d ' ' -f 1)
curl -i "$URL" -H 'Content-Type: application/json' -H "X-Nexus-Webhook-Signature: $signature" --data-raw "$body"
