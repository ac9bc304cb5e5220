aws sns subscribe --topic-arn "$TOPIC" --protocol https --notification-endpoint "$URL" # only once
aws sns publish --topic-arn "$TOPIC" --message '{"image":"registry.example.com/shop:1.2.3"}'
