package apitest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Compact has etcd forget all but the latest state of its objects, as an API server does every five minutes. What a
// running API server has in memory, it can still tell: after a Restart it has nothing.
func (c *ControlPlane) Compact(t testing.TB) {
	t.Helper()
	if c.command == nil {
		t.Fatal("cannot compact etcd: the control plane is stopped")
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := json.Unmarshal([]byte(c.Kubectl(t, "get", "--raw", "/api/v1/namespaces?limit=1")), &list); err != nil {
		t.Fatal(err)
	}
	// That of a list is the revision of etcd.
	revision, err := strconv.ParseUint(list.Metadata.ResourceVersion, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ports, err := listening(c.command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	// The control plane does not say which of its ports is etcd's: only that one understands the question.
	var errs []error
	for _, port := range ports {
		err := compact("http://127.0.0.1:"+port, revision)
		if err == nil {
			return
		}
		errs = append(errs, err)
	}
	t.Fatalf("compact etcd, at one of the ports %v: %v", ports, errors.Join(errs...))
}

// compact calls a method of etcd's API by gRPC, without a client of either.
//
// Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md and rpc.proto of etcd, CompactionRequest
func compact(etcd string, revision uint64) error {
	const fieldRevision, fieldPhysical, yes = 1 << 3, 2 << 3, 1
	message := append(binary.AppendUvarint([]byte{fieldRevision}, revision), fieldPhysical, yes)
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	req, err := http.NewRequest(http.MethodPost, etcd+"/etcdserverpb.KV/Compact", bytes.NewReader(frame))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	unencrypted := new(http.Protocols)
	unencrypted.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: unencrypted}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil { // The trailers come after the body.
		return err
	}
	if status := cmp.Or(resp.Trailer.Get("Grpc-Status"), resp.Header.Get("Grpc-Status")); status != "0" {
		return fmt.Errorf("%s answers %s, gRPC status %q %s", etcd, resp.Status, status, resp.Trailer.Get("Grpc-Message"))
	}
	return nil
}

// listening returns the TCP ports of 127.0.0.1 on which a process listens.
func listening(pid int) ([]string, error) {
	const state, listen, address, inode = 3, "0A", 1, 9 // Fields of proc(5).
	sockets := map[string]bool{}
	descriptors, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(descriptor); err == nil {
			sockets[target] = true
		}
	}
	file, err := os.Open(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var ports []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) <= inode || fields[state] != listen || !sockets["socket:["+fields[inode]+"]"] {
			continue
		}
		_, hex, _ := strings.Cut(fields[address], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if err != nil {
			return nil, err
		}
		ports = append(ports, strconv.FormatUint(port, 10))
	}
	return ports, lines.Err()
}
