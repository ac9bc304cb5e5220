package providertest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func (s suite) testRow(t *testing.T) {
	if s.row.Name == "" || s.row.Title == "" || s.row.New == nil {
		t.Errorf("the row lacks a name, title or constructor: %+v", s.row)
	}
	for _, key := range s.row.RequiredKeys {
		if !slices.Contains(s.row.SecretKeys, key) {
			t.Errorf("key %q is required but not read", key)
		}
	}
}

func (s suite) testConfiguration(t *testing.T) {
	for _, key := range s.row.RequiredKeys {
		s.checkRefused(t, key, func(cfg *provider.Config) {
			cfg.Secret = maps.Clone(cfg.Secret)
			delete(cfg.Secret, key)
			switch key {
			case "token":
				cfg.Token = ""
			case "username":
				cfg.Username = ""
			case "password":
				cfg.Password = ""
			}
		})
	}
	if s.row.NeedsAddress {
		s.checkRefused(t, "address", func(cfg *provider.Config) { cfg.Address = "" })
	}
	for _, address := range []string{"planted-address", "https://planted host/", "https://example.com/%zz/planted", "https://planted:password@/"} {
		_, err := s.construct(func(cfg *provider.Config) { cfg.Address = address })
		if err != nil && (provider.Classify(err).Kind != provider.Permanent || strings.Contains(err.Error(), "planted")) {
			t.Errorf("not permanent, or shows the address: %v", err)
		}
	}
}

func (s suite) construct(change func(*provider.Config)) (provider.Sender, error) {
	cfg := s.Config("http://service.invalid")
	cfg.Client = httpx.NewClient(httpx.Options{})
	change(&cfg)
	return s.row.New(cfg)
}

// checkRefused checks that the constructor refuses a configuration with a permanent error that names what to change.
func (s suite) checkRefused(t *testing.T, field string, change func(*provider.Config)) {
	t.Helper()
	sender, err := s.construct(change)
	if err == nil || sender != nil {
		t.Errorf("without %s: no error, or a sender (a typed nil is one): %v", field, err)
		return
	}
	if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), field) {
		t.Errorf("without %s: the error is not permanent or does not name it: %v", field, err)
	}
}
