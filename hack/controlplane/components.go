package main

import (
	"context"
	"net"
	"net/url"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// startEtcd starts an etcd of one member, on free ports of 127.0.0.1, and waits until it serves.
func startEtcd(ctx context.Context, f folder) (*embed.Etcd, error) {
	loopback := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir = f.etcdData()
	config.ListenClientUrls, config.AdvertiseClientUrls = loopback, loopback
	config.ListenPeerUrls, config.AdvertisePeerUrls = loopback, loopback
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogOutputs = []string{f.log()}
	config.LogLevel = "error"
	// The data need to survive this process, not the machine.
	config.UnsafeNoFsync = true
	// A lone member waits for nobody's vote, but for the election timeout before it votes for itself.
	config.TickMs = 10
	config.ElectionMs = 50

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		etcd.Close()
		return nil, err
	case <-ctx.Done():
		etcd.Close()
		return nil, context.Cause(ctx)
	}
}

// etcdURL returns where clients find etcd.
func etcdURL(etcd *embed.Etcd) string {
	return "http://" + etcd.Clients[0].Addr().String()
}

// newAPIServer returns a function that runs kube-apiserver until its context is done.
func newAPIServer(ctx context.Context, f folder, listener net.Listener, etcd string) (func(context.Context) error, error) {
	server := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, set := range server.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	err := flags.Parse([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// An endpoint on loopback is invalid, and no Pod would want it.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/16",
		"--cert-dir=" + f.certificates(),
		"--token-auth-file=" + f.tokens(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.serviceAccountKey(),
		"--service-account-signing-key-file=" + f.serviceAccountKey(),
		"--allow-privileged",
		// Both count on the controller manager: the one wants the ServiceAccount "default" that it makes for each
		// namespace, the other adds finalizers that it removes.
		"--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection",
		// Else a client that keeps its connection open delays a stop by up to a minute.
		"--shutdown-send-retry-after",
	})
	if err != nil {
		return nil, err
	}
	server.SecureServing.Listener = listener
	if err := server.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	completed, err := server.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	return func(ctx context.Context) error { return app.Run(ctx, completed) }, nil
}
