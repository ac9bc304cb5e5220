curl -i "$URL" -H 'Content-Type: application/json' --data-raw '{"image":"registry.example.com/shop:1.2.3"}'
