curl -i "$URL" -H 'Content-Type: application/json' --data-raw '{"docker_url":"quay.io/acme/shop","updated_tags":["1.2.3"]}'
