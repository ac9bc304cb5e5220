curl -i "$URL" -H 'Content-Type: application/json' -H "Authorization: $TOKEN" \
  --data-raw '{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1.2.3"}],"repository":{"repo_full_name":"acme/shop"}}}'
