package nats

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/natstest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const subject = "flux.events"

func config(url string) provider.Config { return provider.Config{Address: url, Channel: subject} }

// attempt makes the only attempt of a new sender.
func attempt(t *testing.T, cfg provider.Config, n *provider.Notification) error {
	t.Helper()
	return providertest.Attempt(t, New, cfg, n)
}

func TestMessage(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json":  providertest.Notification(),
		"testdata/info.json":   providertest.InfoNotification(),
		"testdata/bare.json":   providertest.BareNotification(),
		"testdata/markup.json": providertest.MarkupNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			server := natstest.New(t)
			if err := attempt(t, config(server.URL()), n); err != nil {
				t.Fatal(err)
			}
			messages := server.Messages()
			if len(messages) != 1 || messages[0].Subject != subject {
				t.Fatalf("got %v", messages)
			}
			providertest.Golden(t, file, messages[0].Body)
		})
	}
}

// TestLimit checks that what is over the server's limit is cut, and delivered.
func TestLimit(t *testing.T) {
	server := natstest.New(t)
	n := providertest.Notification()
	n.Event.Message = strings.Repeat("🚨é<", 3<<20/len("🚨é<"))
	if err := attempt(t, config(server.URL()), n); err != nil {
		t.Fatal(err)
	}
	body := server.Messages()[0].Body
	if len(body) > natstest.MaxPayload || len(body) < natstest.MaxPayload-100 {
		t.Errorf("%d bytes, want about %d", len(body), natstest.MaxPayload)
	}
	providertest.CheckCut(t, "message", providertest.Field(t, string(body), "message"), 1<<20, func(string) int { return 1 << 20 })
}

// TestCredentials checks what a server is told, and which of several credentials that is.
func TestCredentials(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := pair.Seed()
	public, _ := pair.PublicKey()
	creds := []byte("-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n" +
		"-----BEGIN USER NKEY SEED-----\n" + string(seed) + "\n------END USER NKEY SEED------\n")
	all := provider.Config{
		Username: "u", Password: "p", Token: "t",
		Secret: map[string][]byte{"creds": creds, "nkey": append(seed, '\n'), "token": []byte("t")},
	}
	without := func(keys ...string) provider.Config {
		cfg := all
		cfg.Secret = map[string][]byte{"creds": creds, "nkey": all.Secret["nkey"]}
		for _, key := range keys {
			delete(cfg.Secret, key)
			if key == "password" {
				cfg.Password = ""
			}
		}
		return cfg
	}
	for name, test := range map[string]struct {
		cfg      provider.Config
		userinfo string
		want     map[string]string
	}{
		"none":                      {provider.Config{}, "", map[string]string{}},
		"creds":                     {all, "", map[string]string{"jwt": "a.b.c"}},
		"nkey":                      {without("creds"), "", map[string]string{"nkey": public}},
		"username and password":     {without("creds", "nkey"), "", map[string]string{"user": "u", "pass": "p"}},
		"token":                     {without("creds", "nkey", "password"), "", map[string]string{"auth_token": "t"}},
		"URL with user":             {without("creds", "nkey"), "v:q@", map[string]string{"user": "v", "pass": "q"}},
		"URL with token":            {without("creds", "nkey"), "s@", map[string]string{"auth_token": "s"}},
		"username without password": {provider.Config{Username: "u"}, "", map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			server := natstest.New(t)
			test.cfg.Address = strings.Replace(server.URL(), "://", "://"+test.userinfo, 1)
			test.cfg.Channel = subject
			err := attempt(t, test.cfg, providertest.Notification())
			if test.want["nkey"] != "" {
				// This server sends nothing to sign.
				if provider.Classify(err).Reason != provider.ReasonAuth {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(server.Connects()[0]), &got); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"jwt", "nkey", "user", "pass", "auth_token"} {
				if value, _ := got[key].(string); value != test.want[key] {
					t.Errorf("%s is %q, want %q", key, value, test.want[key])
				}
			}
		})
	}
}

// TestConnection checks that a connection is kept, made anew after a loss, and closed when it is not used.
func TestConnection(t *testing.T) {
	server := natstest.New(t)
	s := newSender(t, config(server.URL()))
	if got := len(server.Connects()); got != 0 {
		t.Fatalf("%d connections before the first event", got)
	}
	send := func() {
		t.Helper()
		if err := s.Send(t.Context(), providertest.Notification()); err != nil {
			t.Error(err)
		}
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(send)
	}
	wg.Wait()
	if got := len(server.Connects()); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
	server.Disconnect()
	kept := s.conn
	waitFor(t, "the loss to be seen", func() bool { return !kept.usable() })
	send()
	if got := len(server.Connects()); got != 2 {
		t.Errorf("%d connections after a loss, want 2", got)
	}
	s.idle = time.Millisecond
	send()
	waitFor(t, "an unused connection to be closed", func() bool { return server.Open() == 0 })
	send()
	if got := len(server.Messages()); got != 13 {
		t.Errorf("%d messages, want 13", got)
	}
}

func newSender(t *testing.T, cfg provider.Config) *sender {
	t.Helper()
	servers, err := parseServers(cfg.Address)
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{subject: cfg.Channel, options: newOptions(servers, nil), idle: idleTimeout, dialContext: new(net.Dialer).DialContext, dialing: make(chan struct{}, 1)}
	t.Cleanup(s.closeIdle)
	return s
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestComplaints checks what is made of what a server says only after a message was sent, and that the next attempt
// does not hear it again.
func TestComplaints(t *testing.T) {
	for complaint, want := range map[string]provider.Error{
		`Permissions Violation for Publish to "flux.events"`: {Kind: provider.Permanent, Reason: provider.ReasonAuth},
		"Maximum Payload Violation":                          {Kind: provider.Permanent, Reason: provider.ReasonInvalid},
		"User Authentication Expired":                        {Kind: provider.Permanent, Reason: provider.ReasonAuth},
		"maximum connections exceeded":                       {Kind: provider.Transient, Reason: provider.ReasonServerError},
		"Stale Connection":                                   {Kind: provider.Transient, Reason: provider.ReasonConnection},
		"Server Shutdown":                                    {Kind: provider.Transient, Reason: provider.ReasonConnection},
	} {
		t.Run(complaint, func(t *testing.T) {
			server := natstest.New(t)
			server.Complaint = complaint
			s := newSender(t, config(server.URL()))
			for range 2 {
				err := s.Send(t.Context(), providertest.Notification())
				if got := provider.Classify(err); err == nil || got.Kind != want.Kind || got.Reason != want.Reason {
					t.Errorf("error %v of kind %d, reason %s", err, got.Kind, got.Reason)
				}
			}
			if got := len(server.Connects()); got != 2 {
				t.Errorf("%d connections, want 2", got)
			}
		})
	}
}

// TestContext checks that an attempt ends with its context, whatever it waits for.
func TestContext(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	silent := natstest.New(t)
	silent.Silent = true
	for name, address := range map[string]string{
		"no greeting": "nats://" + mute.Addr().String(),
		"no answer":   silent.URL(),
	} {
		for kind, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
			"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 100*time.Millisecond)
			},
			"cancel": func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(100*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				ctx, cancel := end(t.Context())
				defer cancel()
				s := newSender(t, config(address))
				start := time.Now()
				var wg sync.WaitGroup
				// The second one waits for the first to connect.
				for range 2 {
					wg.Go(func() {
						err := s.Send(ctx, providertest.Notification())
						if got := provider.Classify(err); err == nil || got.Kind != provider.Transient || got.Reason != provider.ReasonTimeout {
							t.Errorf("error %v", err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
}

// TestSeveralServers checks that one server that hangs, or is down, leaves time for the others.
func TestSeveralServers(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	server := natstest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s := newSender(t, config("nats://127.0.0.1:1, "+mute.Addr().String()+" ,"+server.URL()+"/"))
	if err := s.Send(ctx, providertest.Notification()); err != nil {
		t.Error(err)
	}
}

// TestOneServerRefuses checks that what one server says against the credentials is not held against another, that has
// taken them.
func TestOneServerRefuses(t *testing.T) {
	refusing := natstest.New(t)
	refusing.Refusal = "Authorization Violation"
	server := natstest.New(t)
	s := newSender(t, config(refusing.URL()+","+server.URL()))
	// The library shuffles the servers: each time may be the first.
	s.options.NoRandomize = true
	for range 2 {
		if err := s.Send(t.Context(), providertest.Notification()); err != nil {
			t.Error(err)
		}
	}
	if got := len(server.Messages()); got != 2 || len(server.Connects()) != 1 || len(refusing.Connects()) != 1 {
		t.Errorf("%d messages over %d connections, want 2 over 1", got, len(server.Connects()))
	}
}

// TestEgress checks that no server is connected to that the operator denies, also by its name, and that this is final only
// where nothing else might come back.
func TestEgress(t *testing.T) {
	server := natstest.New(t)
	egress, err := httpx.NewEgress([]string{"127.0.0.0/8", "::1/128"})
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL(), "nats://"))
	for address, want := range map[string]provider.Kind{
		server.URL():                     provider.Permanent,
		"nats://localhost:" + port:       provider.Permanent,
		"ws://127.0.0.1:" + port:         provider.Permanent,
		server.URL() + ",a.invalid:4222": provider.Transient,
	} {
		t.Run(address, func(t *testing.T) {
			s := newSender(t, config(address))
			s.dialContext = egress.Dialer().DialContext
			// The servers are tried in random order.
			for range 5 {
				err := s.Send(t.Context(), providertest.Notification())
				if got := provider.Classify(err); err == nil || got.Kind != want {
					t.Errorf("error %v of kind %d, want %d", err, got.Kind, want)
				}
			}
			if got := len(server.Connects()); got != 0 {
				t.Errorf("%d connections", got)
			}
		})
	}
}

// TestNoDowngrade checks that credentials do not go out in the clear if the Provider has a TLS configuration, whatever a
// server says of itself.
func TestNoDowngrade(t *testing.T) {
	server := natstest.New(t)
	cfg := config(server.URL())
	cfg.Token, cfg.TLS = "planted-token", &tls.Config{MinVersion: tls.VersionTLS12}
	err := attempt(t, cfg, providertest.Notification())
	if got := provider.Classify(err); err == nil || got.Kind != provider.Permanent || got.Reason != provider.ReasonTLS || len(server.Connects()) != 0 {
		t.Errorf("error %v, %d connections", err, len(server.Connects()))
	}
}

// TestErrorsShowNoPassword checks that no server's password is in an error, which the redactor around the sender finds
// only in the first.
func TestErrorsShowNoPassword(t *testing.T) {
	server := natstest.New(t)
	server.Complaint = "planted-1 planted-2 planted-3"
	address := strings.Replace(server.URL(), "://", "://u:planted-1@", 1) + ",nats://u:planted-2@127.0.0.1:1,planted-3@127.0.0.1:1"
	err := attempt(t, config(address), providertest.Notification())
	if err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("error %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, address := range []string{"", " , ", "nats://", "nats://planted host", "nats://%zz/planted", "nats://a,https://planted:x@", "nats://a,ws://planted"} {
		providertest.CheckRefused(t, New, provider.Config{Address: address, Channel: subject}, "spec.address")
	}
	for _, channel := range []string{"", "planted x", "planted\r\nPUB x 0"} {
		providertest.CheckRefused(t, New, provider.Config{Address: "nats://a", Channel: channel}, "spec.channel")
	}
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := account.Seed()
	for _, test := range []struct{ key, value string }{
		{"nkey", "planted"},
		{"nkey", string(seed)},
		{"creds", "planted"},
		{"creds", "-----BEGIN NATS USER JWT-----\nplanted.b.c\n------END NATS USER JWT------\n"},
		{"creds", "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n" + string(seed) + "\n------END USER NKEY SEED------\n"},
	} {
		cfg := config("nats://a")
		cfg.Secret = map[string][]byte{test.key: []byte(test.value)}
		// Other credentials do not help: those that are wrong take precedence.
		cfg.Username, cfg.Password = "u", "p"
		providertest.CheckRefused(t, New, cfg, test.key)
	}
}
