body='{"domain":"docker","event_type":"pushed","data":{"image_name":"shop","tag":"1.2.3"}}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$TOKEN" -r | cut -d ' ' -f 1)
curl -i "$URL" -H 'Content-Type: application/json' -H "X-JFrog-Event-Auth: $signature" --data-raw "$body"
