package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/scheme"
	notificationv1 "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1"
	notificationv1beta3 "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/version"
)

// clients for the API server. They share one connection.
type clients struct {
	core         kubernetes.Interface
	notification versioned.Interface
	metadata     metadata.Interface
}

// newClients connects with the given configuration, or else with $KUBECONFIG, the Pod's or the user's own.
func newClients(ctx context.Context, o Options) (*clients, error) {
	config := o.Kubeconfig
	if config == nil {
		var err error
		config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			clientcmd.NewDefaultClientConfigLoadingRules(), &clientcmd.ConfigOverrides{}).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("find the API server ($KUBECONFIG, the Pod's ServiceAccount or ~/.kube/config): %w", err)
		}
	}
	config = rest.CopyConfig(config)
	// The API server derives the field manager of patches from what comes before the slash.
	config.UserAgent = controller.FieldManager + "/" + version.Version()
	config.QPS, config.Burst = o.KubeQPS, o.KubeBurst
	// Not the API server's to say, but each client's own.
	config.WarningHandlerWithContext = rest.NoWarnings{}

	shared, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	if hasPriorityAndFairness(ctx, config, shared) {
		config.QPS = -1
	}
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = runtime.ContentTypeProtobuf
	protobuf.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON

	var c clients
	if c.core, err = kubernetes.NewForConfigAndClient(protobuf, shared); err != nil {
		return nil, err
	}
	if c.notification, err = newNotificationClient(ctx, config, shared); err != nil {
		return nil, err
	}
	if c.metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(config), shared); err != nil {
		return nil, err
	}
	return &c, nil
}

// notificationClient is a client of our kinds whose answers are decoded by [tolerant].
type notificationClient struct {
	versioned.Interface
	v1      notificationv1.NotificationV1Interface
	v1beta3 notificationv1beta3.NotificationV1beta3Interface
}

// NotificationV1 implements [versioned.Interface].
func (c *notificationClient) NotificationV1() notificationv1.NotificationV1Interface { return c.v1 }

// NotificationV1beta3 implements [versioned.Interface].
func (c *notificationClient) NotificationV1beta3() notificationv1beta3.NotificationV1beta3Interface {
	return c.v1beta3
}

func newNotificationClient(ctx context.Context, config *rest.Config, shared *http.Client) (*notificationClient, error) {
	generated, err := versioned.NewForConfigAndClient(config, shared)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	config.NegotiatedSerializer = tolerant{rest.CodecFactoryForGeneratedClient(scheme.Scheme, scheme.Codecs).WithoutConversion(), klog.FromContext(ctx)}
	forVersion := func(version schema.GroupVersion) (rest.Interface, error) {
		config := rest.CopyConfig(config)
		config.GroupVersion = &version
		return rest.RESTClientForConfigAndClient(config, shared)
	}
	receivers, err := forVersion(v1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	others, err := forVersion(v1beta3.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &notificationClient{Interface: generated, v1: notificationv1.New(receivers), v1beta3: notificationv1beta3.New(others)}, nil
}

// hasPriorityAndFairness says whether the API server limits its clients by itself, so that they need not.
// https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
func hasPriorityAndFairness(ctx context.Context, config *rest.Config, client *http.Client) bool {
	const limit = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, base.JoinPath("/livez/ping").String(), nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.Header.Get("X-Kubernetes-Pf-Flowschema-Uid") != ""
}
