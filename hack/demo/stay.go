package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// stayUp says how to go on, and waits for Ctrl-C.
func (d *demo) stayUp(ctx context.Context) error {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		return err
	}
	fmt.Printf(goOn, os.Getenv("KUBECONFIG"), filepath.Dir(kubectl),
		eventFile, d.controller.eventsURL(),
		pushFile, d.token, d.webhookURL,
		d.controller.addresses.Metrics, d.controller.log)
	select {
	case <-ctx.Done():
		fmt.Println("\n==> Stop: the controller finishes what it has accepted, then all is removed")
		return nil
	case <-d.controller.ended:
		return fmt.Errorf("%w by itself: %w; the end of %s:\n%s", errEnded, d.controller.err, d.controller.log, tail(d.controller.log))
	}
}

// goOn are lines for another terminal, in the same folder.
const goOn = `
==> It stays up until Ctrl-C. To go on, in another terminal and this folder:

export KUBECONFIG='%s' PATH='%s':"$PATH"
kubectl get alerts,providers,receivers
kubectl describe receiver github

# Another event: the same one twice within five minutes is refused (429).
sed "s/in [0-9.]*s/at $(date +%%T)/" %s | curl -i --data-binary @- %s

# Another push, signed as GitHub does it, and what came of it.
push=%s
signature=$(openssl dgst -sha256 -hmac '%s' "$push" | sed 's/.* //')
curl -i --data-binary "@$push" -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' \
  -H "X-Hub-Signature-256: sha256=$signature" %s
kubectl get gitrepository webapp -o yaml

# Without the signature that call is refused. Metrics, and the log:
curl -s http://%s/metrics | grep -E "^(notification_.*_total|gotk_.*_count)"
tail -f %s
`
