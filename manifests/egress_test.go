package manifests_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// destination is what a Pod may try to connect to.
type destination struct {
	protocol corev1.Protocol
	address  string
	port     int32
}

// destinations says of each whether restricted-egress lets the controller connect to it.
func destinations() map[destination]bool {
	return map[destination]bool{
		{corev1.ProtocolUDP, "10.96.0.10", 53}:       true,
		{corev1.ProtocolTCP, "10.96.0.10", 53}:       true,
		{corev1.ProtocolTCP, "192.0.2.1", 443}:       true,
		{corev1.ProtocolTCP, "2001:db8::1", 443}:     true,
		{corev1.ProtocolTCP, "10.0.0.1", 6443}:       true,
		{corev1.ProtocolUDP, "192.0.2.1", 443}:       false,
		{corev1.ProtocolTCP, "192.0.2.1", 80}:        false,
		{corev1.ProtocolTCP, "2001:db8::1", 80}:      false,
		{corev1.ProtocolTCP, "10.0.0.1", 4222}:       false,
		{corev1.ProtocolTCP, "169.254.169.254", 80}:  false,
		{corev1.ProtocolTCP, "169.254.169.254", 443}: false,
		{corev1.ProtocolTCP, "fd00:ec2::254", 443}:   false,
		{corev1.ProtocolTCP, "fe80::1", 443}:         false,
	}
}

// testEgress installs Flux's policies beside restricted-egress, with which they let the controller connect anywhere, and
// does against that what the page says.
func (c *cluster) testEgress(t *testing.T) {
	policies := func() []networkingv1.NetworkPolicy {
		list, err := c.typed.NetworkingV1().NetworkPolicies(controllerNamespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	deployment, err := c.typed.AppsV1().Deployments(controllerNamespace).Get(t.Context(), controllerName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod, other := deployment.Spec.Template.Labels, map[string]string{"app": "source-controller"}

	checkEgress(t, policies(), pod, true)
	for _, policy := range policiesIn(t, fluxManifest(t)) {
		if _, err := c.typed.NetworkingV1().NetworkPolicies(policy.Namespace).Create(t.Context(), &policy, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	checkEgress(t, policies(), pod, false)
	for _, block := range apitest.Blocks(t, securityPage, "sh") {
		t.Log(c.shell(t, ".", block.Text))
	}
	checkEgress(t, policies(), pod, true)
	checkEgress(t, policies(), other, false)

	// Where Flux was bootstrapped, the component does it.
	const component = "  - manifests/in-place-of-flux\n"
	restricted := strings.Replace(inPlaceOfFlux(t), component, component+"  - manifests/network-policies\n  - manifests/restricted-egress\n", 1)
	built := policiesIn(t, c.kustomize(t, restricted, fluxManifest(t)))
	checkEgress(t, built, pod, true)
	checkEgress(t, built, other, false)
}

// policiesIn returns the NetworkPolicies of a manifest.
func policiesIn(t *testing.T, manifest string) []networkingv1.NetworkPolicy {
	t.Helper()
	var policies []networkingv1.NetworkPolicy
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		if parse(t, document).GetKind() != "NetworkPolicy" {
			continue
		}
		var policy networkingv1.NetworkPolicy
		if err := yaml.UnmarshalStrict([]byte(document), &policy); err != nil {
			t.Fatal(err)
		}
		policies = append(policies, policy)
	}
	return policies
}

// checkEgress looks whether policies let a Pod with these labels connect to what restricted-egress lets it connect to, or
// else to anything.
func checkEgress(t *testing.T, policies []networkingv1.NetworkPolicy, pod map[string]string, restricted bool) {
	t.Helper()
	for to, allowed := range destinations() {
		want := allowed || !restricted
		if got := connects(t, policies, pod, to); got != want {
			t.Errorf("%s may connect to %v: %t, want %t", pod["app"], to, got, want)
		}
	}
}

// connects says whether policies let a Pod with these labels connect to something: if one that selects the Pod has a rule
// that does, or if none is about what the Pod connects to.
func connects(t *testing.T, policies []networkingv1.NetworkPolicy, pod map[string]string, to destination) bool {
	t.Helper()
	isolated := false
	for _, policy := range policies {
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil {
			t.Fatal(err)
		}
		if !selector.Matches(labels.Set(pod)) || !slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
			continue
		}
		isolated = true
		for _, rule := range policy.Spec.Egress {
			if hasPort(rule.Ports, to) && hasPeer(rule.To, to) {
				return true
			}
		}
	}
	return !isolated
}

// hasPort says whether ports, which are all if there are none, have that of a destination. A port with a name may be any.
func hasPort(ports []networkingv1.NetworkPolicyPort, to destination) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		switch {
		case p.Protocol != nil && *p.Protocol != to.protocol, p.Protocol == nil && to.protocol != corev1.ProtocolTCP:
			return false
		case p.Port == nil || p.Port.Type == intstr.String:
			return true
		case p.EndPort != nil:
			return p.Port.IntVal <= to.port && to.port <= *p.EndPort
		default:
			return p.Port.IntVal == to.port
		}
	})
}

// hasPeer says whether peers, which are all if there are none, have the address of a destination. Pods may have any.
func hasPeer(peers []networkingv1.NetworkPolicyPeer, to destination) bool {
	address := netip.MustParseAddr(to.address)
	in := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(address) }
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		return p.IPBlock == nil || in(p.IPBlock.CIDR) && !slices.ContainsFunc(p.IPBlock.Except, in)
	})
}
