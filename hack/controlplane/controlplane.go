package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

const (
	// startTimeout is generous: a start takes a few seconds, but tests run on busy machines.
	startTimeout = 2 * time.Minute
	// stopTimeout bounds the wait for requests in flight.
	stopTimeout  = time.Minute
	pollInterval = 50 * time.Millisecond
)

// controlPlane is etcd and kube-apiserver, running in this process. A process can run only one in its life, since
// kube-apiserver has globals.
type controlPlane struct {
	etcd          *embed.Etcd
	stopAPIServer context.CancelFunc
	// ended receives what kube-apiserver returns, once.
	ended chan error
}

// start starts a control plane in folder f on a port of 127.0.0.1, any free one if port is 0, and returns once it is
// ready for use.
//
// After an error the process has to end: an API server that is stopped before it is ready does not stop but exit.
func start(ctx context.Context, f folder, port int) (*controlPlane, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	if err := f.prepare(); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", f, err)
	}
	if err := logTo(f.log()); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, port)
	if err != nil {
		return nil, err
	}
	etcd, err := startEtcd(ctx, f)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	// The API server outlives ctx, which is for the start alone.
	serverContext, stopAPIServer := context.WithCancel(context.WithoutCancel(ctx))
	c := &controlPlane{etcd: etcd, stopAPIServer: stopAPIServer, ended: make(chan error, 1)}
	server, err := newAPIServer(serverContext, f, listener, etcdURL(etcd))
	if err != nil {
		stopAPIServer()
		listener.Close()
		etcd.Close()
		return nil, fmt.Errorf("configure kube-apiserver: %w", err)
	}
	go func() { c.ended <- server(serverContext) }()

	if err := f.writeKubeconfig("https://" + listener.Addr().String()); err != nil {
		return nil, fmt.Errorf("write the kubeconfig: %w", err)
	}
	if err := c.waitReady(ctx, f.kubeconfig()); err != nil {
		return nil, err
	}
	return c, nil
}

// stop stops the API server, then etcd.
func (c *controlPlane) stop() error {
	defer c.etcd.Close()
	c.stopAPIServer()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(stopTimeout):
		return fmt.Errorf("kube-apiserver has not stopped within %s", stopTimeout)
	}
}

// waitReady waits until the API server says that it is ready and has made the namespace that clients count on.
func (c *controlPlane) waitReady(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for {
		err := ready(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case ended := <-c.ended:
			return fmt.Errorf("kube-apiserver ended while it started: %w", ended)
		case <-ctx.Done():
			return fmt.Errorf("kube-apiserver did not get ready: %w: %w", context.Cause(ctx), err)
		case <-time.After(pollInterval):
		}
	}
}

func ready(ctx context.Context, client kubernetes.Interface) error {
	if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
		return err
	}
	_, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return errors.New("namespace default is not there yet")
	}
	return err
}

// listen opens the port itself, rather than name one for kube-apiserver to open, so that no one can take it in between.
func listen(ctx context.Context, port int) (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for attempt := 1; ; attempt++ {
		listener, err := net.Listen("tcp", address)
		// Between two runs, the port may be lent to someone's outgoing connection for a moment.
		if port == 0 || !errors.Is(err, syscall.EADDRINUSE) || attempt == 100 {
			return listener, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
}

// logTo sends all that the libraries log to a file, so that the terminal is left to what controlplane itself has to
// say. A panic is written to both.
func logTo(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	klog.SetLogger(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(file))))
	log.SetOutput(file)
	// The API server uses deprecated APIs of its own.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	return debug.SetCrashOutput(file, debug.CrashOptions{})
}
