body='{"image":"registry.example.com/shop:1.2.3"}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$TOKEN" -r | cut -d ' ' -f 1)
curl -i "$URL" -H 'Content-Type: application/json' -H "X-Signature: sha256=$signature" --data-raw "$body"
