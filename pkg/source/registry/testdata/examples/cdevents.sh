curl -i "$URL" -H 'Content-Type: application/json' -H 'Ce-Type: dev.cdevents.change.merged.0.2.0' --data-raw '{
  "context": {"version": "0.4.1", "id": "42", "source": "/forge/acme", "type": "dev.cdevents.change.merged.0.2.0",
              "timestamp": "2026-08-07T10:00:00Z"},
  "subject": {"id": "pr-7", "type": "change", "content": {"repository": {"id": "acme/shop"}}}
}'
