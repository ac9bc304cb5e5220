package nats

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/notification-controller/notification-controller/pkg/peertest"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// startServer starts a real nats-server with a configuration and returns its address, without a scheme.
func startServer(t *testing.T, configuration string) string {
	program := peertest.Find(t, "peers", "nats-server")
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	address := peertest.Address(t)
	server := exec.Command(program, "--config", file, "--addr", "127.0.0.1", "--port", fmt.Sprint(address.Port))
	peertest.Start(t, server, func() bool {
		conn, err := net.Dial("tcp", address.String())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return address.String()
}

// receive subscribes with the sender's own credentials and returns what gets the next message.
func receive(t *testing.T, cfg provider.Config) func() []byte {
	t.Helper()
	options := newOptions([]string{cfg.Address}, cfg.TLS)
	if _, err := authenticate(cfg, &options); err != nil {
		t.Fatal(err)
	}
	conn, err := options.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	subscription, err := conn.SubscribeSync(subject)
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() []byte {
		t.Helper()
		message, err := subscription.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return message.Data
	}
}

// user is somebody whom a nats-server knows by a key.
type user struct {
	pair         nkeys.KeyPair
	public, seed string
}

func newUser(t *testing.T, create func() (nkeys.KeyPair, error)) user {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return user{pair, public, string(seed)}
}

// claims returns a JWT in which one says something of another.
//
// Source: https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt
func (u user) claims(t *testing.T, about, kind string, more map[string]any) string {
	t.Helper()
	said := map[string]any{"type": kind, "version": 2}
	for key, value := range more {
		said[key] = value
	}
	body, err := json.Marshal(map[string]any{"iat": time.Now().Unix(), "iss": u.public, "sub": about, "name": kind, "nats": said})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"typ":"JWT","alg":"ed25519-nkey"}`)) + "." + encode(body)
	signature, err := u.pair.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

// operated returns the configuration of a server that knows its users by JWTs, and the creds of one of them.
func operated(t *testing.T, permissions map[string]any) (configuration, creds string) {
	operator, account, someone := newUser(t, nkeys.CreateOperator), newUser(t, nkeys.CreateAccount), newUser(t, nkeys.CreateUser)
	unlimited := map[string]any{"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1}
	configuration = fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: {%s: %s}\n",
		operator.claims(t, operator.public, "operator", nil), account.public,
		operator.claims(t, account.public, "account", map[string]any{"limits": unlimited}))
	permissions["subs"], permissions["data"], permissions["payload"] = -1, -1, -1
	creds = "-----BEGIN NATS USER JWT-----\n" + account.claims(t, someone.public, "user", permissions) +
		"\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n" + someone.seed + "\n------END USER NKEY SEED------\n"
	return configuration, creds
}

// TestPeerCredentials has a real nats-server take an event by each kind of credentials, and refuse others.
func TestPeerCredentials(t *testing.T) {
	known, stranger := newUser(t, nkeys.CreateUser), newUser(t, nkeys.CreateUser)
	operatorConfiguration, creds := operated(t, map[string]any{})
	_, otherCreds := operated(t, map[string]any{})
	for name, test := range map[string]struct {
		configuration string
		right, wrong  provider.Config
	}{
		"none": {},
		"token": {
			`authorization: {token: "planted-token"}`,
			provider.Config{Token: "planted-token"}, provider.Config{Token: "planted-other"},
		},
		"username and password": {
			`authorization: {user: flux, password: "planted-password"}`,
			provider.Config{Username: "flux", Password: "planted-password"}, provider.Config{Username: "flux", Password: "planted-other"},
		},
		"nkey": {
			`authorization: {users: [{nkey: ` + known.public + `}]}`,
			withKey("nkey", known.seed+"\n"), withKey("nkey", stranger.seed),
		},
		"creds": {operatorConfiguration, withKey("creds", creds), withKey("creds", otherCreds)},
	} {
		t.Run(name, func(t *testing.T) {
			address := "nats://" + startServer(t, test.configuration)
			test.right.Address, test.wrong.Address = address, address
			test.right.Channel, test.wrong.Channel = subject, subject
			next := receive(t, test.right)
			if err := attempt(t, test.right, providertest.Notification()); err != nil {
				t.Fatal(err)
			}
			providertest.Golden(t, "testdata/error.json", next())
			if test.configuration == "" {
				return
			}
			for _, wrong := range []provider.Config{test.wrong, config(address)} {
				checkRefused(t, attempt(t, wrong, providertest.Notification()), "credentials")
			}
		})
	}
}

func withKey(key, value string) provider.Config {
	return provider.Config{Secret: map[string][]byte{key: []byte(value)}}
}

// checkRefused checks that an error is permanent, says what to change and shows no secret.
func checkRefused(t *testing.T, err error, says string) {
	t.Helper()
	got := provider.Classify(err)
	if err == nil || got.Kind != provider.Permanent || got.Reason != provider.ReasonAuth || !strings.Contains(err.Error(), says) ||
		strings.Contains(err.Error(), "planted") {
		t.Errorf("error %v of kind %d, reason %s", err, got.Kind, got.Reason)
	}
}

// TestPeerPermissions checks that what a real nats-server only says after a message was sent is an error.
func TestPeerPermissions(t *testing.T) {
	operatorConfiguration, creds := operated(t, map[string]any{"pub": map[string]any{"deny": []string{subject}}})
	for name, test := range map[string]struct {
		configuration string
		cfg           provider.Config
	}{
		"username and password": {
			`authorization: {users: [{user: flux, password: p, permissions: {publish: "other.>"}}]}`,
			provider.Config{Username: "flux", Password: "p"},
		},
		"creds": {operatorConfiguration, withKey("creds", creds)},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.Address, test.cfg.Channel = "nats://"+startServer(t, test.configuration), subject
			checkRefused(t, attempt(t, test.cfg, providertest.Notification()), "spec.channel")
		})
	}
}

// TestPeerTLS checks that a real nats-server is only trusted by its CA, and that it gets to see a certificate.
func TestPeerTLS(t *testing.T) {
	serverCert, serverKey, serverPool := providertest.Certificate(t)
	clientCert, clientKey, _ := providertest.Certificate(t)
	dir := t.TempDir()
	for name, content := range map[string][]byte{"tls.crt": serverCert, "tls.key": serverKey, "client.crt": clientCert} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := startServer(t, fmt.Sprintf(`tls: {cert_file: "%[1]s/tls.crt", key_file: "%[1]s/tls.key", ca_file: "%[1]s/client.crt", verify: true}`, dir))
	trusting := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: serverPool}
	identified := trusting.Clone()
	pair, err := tls.X509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	identified.Certificates = []tls.Certificate{pair}
	for name, test := range map[string]struct {
		address string
		tls     *tls.Config
		want    provider.Kind
		taken   bool
	}{
		"tls://":               {"tls://" + address, identified, 0, true},
		"nats://":              {"nats://" + address, identified, 0, true},
		"unknown CA":           {"tls://" + address, nil, provider.Permanent, false},
		"without certificate":  {"tls://" + address, trusting, provider.Transient, false},
		"unknown CA by itself": {"nats://" + address, nil, provider.Permanent, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(test.address)
			cfg.TLS = test.tls
			err := attempt(t, cfg, providertest.Notification())
			if test.taken != (err == nil) {
				t.Fatalf("error %v", err)
			}
			if got := provider.Classify(err); err != nil && (got.Kind != test.want || got.Reason != provider.ReasonTLS) {
				t.Errorf("error %v of kind %d, reason %s", err, got.Kind, got.Reason)
			}
		})
	}
}

// TestPeerLimit checks that an event over the limit of a real nats-server is cut to it.
func TestPeerLimit(t *testing.T) {
	const limit = 4096
	cfg := config("nats://" + startServer(t, fmt.Sprint("max_payload: ", limit)))
	next := receive(t, cfg)
	if err := attempt(t, cfg, providertest.LongNotification()); err != nil {
		t.Fatal(err)
	}
	if got := len(next()); got > limit || got < limit/2 {
		t.Errorf("%d bytes, want at most %d", got, limit)
	}
}

// TestPeerWebSocket has a real nats-server take an event by way of a web socket.
func TestPeerWebSocket(t *testing.T) {
	port := peertest.Address(t).Port
	plain := startServer(t, fmt.Sprintf("websocket: {port: %d, no_tls: true}", port))
	next := receive(t, config("nats://"+plain))
	if err := attempt(t, config(fmt.Sprintf("ws://127.0.0.1:%d", port)), providertest.Notification()); err != nil {
		t.Fatal(err)
	}
	providertest.Golden(t, "testdata/error.json", next())
}
