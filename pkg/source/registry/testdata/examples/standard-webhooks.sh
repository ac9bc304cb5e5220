body='{"type":"image.pushed","data":{"image":"registry.example.com/shop:1.2.3"}}'
id=msg_$(openssl rand -hex 12)
timestamp=$(date +%s)
key=$(printf %s "${TOKEN#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
signature=$(printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl -i "$URL" -H 'Content-Type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $timestamp" \
  -H "webhook-signature: v1,$signature" --data-raw "$body"
