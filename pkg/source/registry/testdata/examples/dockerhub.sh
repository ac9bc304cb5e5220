curl -i "$URL" -H 'Content-Type: application/json' \
  --data-raw '{"push_data":{"tag":"1.2.3","pusher":"acme"},"repository":{"repo_url":"https://hub.docker.com/r/acme/shop"}}'
