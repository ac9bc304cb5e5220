curl -i "$URL" -H 'Content-Type: application/json' -H 'X-Gitlab-Event: Push Hook' -H "X-Gitlab-Token: $TOKEN" \
  --data-raw '{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/shop"}}'
