package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"
)

// folder is where a control plane keeps all it has: its data, its credentials and its log. Started again there with
// the same port, it is the same control plane to those who hold its kubeconfig.
type folder string

func (f folder) kubeconfig() string         { return filepath.Join(string(f), "kubeconfig") }
func (f folder) log() string                { return filepath.Join(string(f), "controlplane.log") }
func (f folder) etcdData() string           { return filepath.Join(string(f), "etcd") }
func (f folder) certificates() string       { return filepath.Join(string(f), "pki") }
func (f folder) servingCertificate() string { return filepath.Join(f.certificates(), "apiserver.crt") }
func (f folder) serviceAccountKey() string {
	return filepath.Join(f.certificates(), "service-account.key")
}
func (f folder) adminToken() string { return filepath.Join(f.certificates(), "admin.token") }
func (f folder) tokens() string     { return filepath.Join(f.certificates(), "tokens.csv") }

// prepare makes the folder and, unless an earlier run did, the credentials that kube-apiserver does not make itself.
func (f folder) prepare() error {
	for _, dir := range []string{f.etcdData(), f.certificates()} {
		// etcd insists that nobody else can read its folder.
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := createOnce(f.serviceAccountKey(), keyutil.MakeEllipticPrivateKeyPEM); err != nil {
		return fmt.Errorf("create the key that signs service account tokens: %w", err)
	}
	if err := createOnce(f.adminToken(), func() ([]byte, error) { return []byte(rand.Text()), nil }); err != nil {
		return fmt.Errorf("create the administrator's token: %w", err)
	}
	token, err := os.ReadFile(f.adminToken())
	if err != nil {
		return err
	}
	return os.WriteFile(f.tokens(), fmt.Appendf(nil, "%s,admin,admin,system:masters\n", token), 0o600)
}

// writeKubeconfig writes the administrator's kubeconfig for the API server at url, which has its certificate by now.
func (f folder) writeKubeconfig(url string) error {
	ca, err := os.ReadFile(f.servingCertificate())
	if err != nil {
		return err
	}
	token, err := os.ReadFile(f.adminToken())
	if err != nil {
		return err
	}
	const name = "controlplane"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: ca}
	config.AuthInfos["admin"] = &clientcmdapi.AuthInfo{Token: string(token)}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: "admin"}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, f.kubeconfig())
}

// createOnce writes what content returns to a file that only this user can read, if there is no such file yet.
func createOnce(path string, content func() ([]byte, error)) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := content()
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
