curl -i "$URL" -H 'Content-Type: application/json' --data-raw '{"action":"push","target":{"repository":"shop","tag":"1.2.3"}}'
