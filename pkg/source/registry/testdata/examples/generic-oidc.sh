folder=$(mktemp -d) issuer=http://127.0.0.1:8099/issuer
base64url() { basenc --base64url -w 0 | tr -d =; }
mkdir -p "$folder/www/.well-known"
openssl genrsa -out "$folder/key.pem" 2048
n=$(openssl rsa -in "$folder/key.pem" -noout -modulus | cut -d = -f 2 | basenc --base16 -d | base64url)
echo "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"1\",\"n\":\"$n\",\"e\":\"AQAB\"}]}" >"$folder/www/keys"
echo "{\"issuer\":\"$issuer\",\"jwks_uri\":\"$issuer/keys\"}" >"$folder/www/.well-known/openid-configuration"
kubectl proxy --port=8099 --www="$folder/www" --www-prefix=/issuer/ --accept-paths='^$' &
curl --silent --retry 9 --retry-connrefused "$issuer/keys"
kubectl apply -f - <<EOF
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: try-oidc}
spec:
  type: generic-oidc
  oidcProviders:
    - issuerURL: $issuer
      validations:
        - expression: claims.repository == 'acme/shop'
          message: the repository is not allowed
  resources: [{kind: GitRepository, name: webapp}]
EOF
kubectl wait receiver/try-oidc --for=condition=Ready
URL=http://127.0.0.1:9292$(kubectl get receiver try-oidc -o jsonpath='{.status.webhookPath}')
# This is done for each call: the claims, and the signature that makes a token of them.
claims="{\"iss\":\"$issuer\",\"aud\":\"notification-controller\",\"exp\":$(($(date +%s) + 300)),\"repository\":\"acme/shop\"}"
unsigned=$(printf '{"alg":"RS256","kid":"1"}' | base64url).$(printf %s "$claims" | base64url)
token=$unsigned.$(printf %s "$unsigned" | openssl dgst -sha256 -sign "$folder/key.pem" | base64url)
curl -i "$URL" -H 'Content-Type: application/json' -H "Authorization: Bearer $token" \
  --data-raw '{"image":"registry.example.com/shop:1.2.3"}'
kill $! # ends the issuer, whose keys are good for an hour without it
