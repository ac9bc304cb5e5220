package azureeventhub

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// sasLifetime is how long a signature counts. Each request has its own; the rest is for clocks that differ.
const sasLifetime = time.Hour

// readConnectionString takes a connection string apart:
// Endpoint=sb://NAMESPACE/;SharedAccessKeyName=NAME;SharedAccessKey=KEY;EntityPath=HUB.
//
// Source: https://learn.microsoft.com/azure/event-hubs/event-hubs-get-connection-string
func readConnectionString(text string, now func() time.Time) (hub, authorization, error) {
	fields := map[string]string{}
	for field := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(field, "=")
		fields[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	endpoint, err := url.Parse(fields["endpoint"])
	name, key := fields["sharedaccesskeyname"], fields["sharedaccesskey"]
	at := hub{name: fields["entitypath"]}
	switch {
	case err != nil || endpoint.Host == "":
		return at, authorization{}, httpx.AddressError("is a connection string without an Endpoint such as sb://NAMESPACE.servicebus.windows.net/")
	case name == "" || key == "":
		return at, authorization{}, httpx.AddressError("is a connection string that lacks SharedAccessKeyName or SharedAccessKey")
	case at.name == "":
		return at, authorization{}, httpx.AddressError("is a connection string that does not contain an EntityPath, which names the event hub")
	}
	at.host = endpoint.Host
	return at, authorization{
		header:     func(context.Context) (string, error) { return sign(at, name, key, now().Add(sasLifetime)), nil },
		credential: "the shared access policy of the connection string",
		secrets:    []string{key},
	}, nil
}

// sign returns a shared access signature.
//
// Source: https://learn.microsoft.com/azure/event-hubs/authenticate-shared-access-signature
func sign(at hub, name, key string, expires time.Time) string {
	resource := strings.ToLower(url.QueryEscape(at.url()))
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%d", resource, expires.Unix())
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=%s", resource, url.QueryEscape(signature), expires.Unix(), url.QueryEscape(name))
}

// bearer is what the header says of a JWT.
func bearer(token string) string { return "Bearer " + token }

// staticToken uses the JWT of the Secret.
func staticToken(token string) (authorization, error) {
	header, err := httpx.TokenHeader("Authorization", bearer(strings.TrimSpace(token)))
	if err != nil {
		return authorization{}, err
	}
	return authorization{
		header:     func(context.Context) (string, error) { return header.Get("Authorization"), nil },
		credential: provider.SecretKey("token"),
	}, nil
}
