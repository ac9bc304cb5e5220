package httpx

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Egress says which addresses must not be connected to. It is asked for each connection, with the address that a name
// has just been resolved to: a name that changes its address afterwards does not help. Of a service behind a proxy it
// sees the proxy. A nil *Egress denies nothing.
type Egress struct{ denied []netip.Prefix }

// NewEgress returns an Egress that denies the given ranges, in CIDR notation (RFC 4632).
func NewEgress(denied []string) (*Egress, error) {
	e := &Egress{}
	for _, text := range denied {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a range of addresses, such as 169.254.0.0/16", text)
		}
		if prefix.Addr().Is4In6() {
			// No address would ever be found in it: they are compared in their IPv4 form.
			return nil, fmt.Errorf("%q is a range of IPv4 addresses in the form of IPv6; write it as IPv4", text)
		}
		e.denied = append(e.denied, prefix.Masked())
	}
	return e, nil
}

// Dialer returns one that connects to what is not denied.
func (e *Egress) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, ControlContext: e.control}
}

// control implements the hook of [net.Dialer], which is called with an IP address and a port.
func (e *Egress) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	if e == nil {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &DeniedError{address}
	}
	// A zone is not part of what ranges are made of.
	ip := to.Addr().Unmap().WithZone("")
	if ip.IsUnspecified() {
		ip = loopback(ip)
	}
	for _, prefix := range e.denied {
		if prefix.Contains(ip) {
			return &DeniedError{ip.String()}
		}
	}
	return nil
}

// loopback is where a connection to the unspecified address leads: to this machine.
func loopback(unspecified netip.Addr) netip.Addr {
	if unspecified.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// DeniedError is that of a connection which an [Egress] denies.
type DeniedError struct {
	// Address is what the name was resolved to.
	Address string
}

func (e *DeniedError) Error() string {
	return "the service is at " + e.Address + ", which --provider-deny-cidrs does not allow"
}
