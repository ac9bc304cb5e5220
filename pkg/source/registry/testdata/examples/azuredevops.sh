curl -i "$URL" -H 'Content-Type: application/json' -u "azure:$TOKEN" \
  --data-raw '{"eventType":"git.push","resource":{"repository":{"name":"shop"}}}'
