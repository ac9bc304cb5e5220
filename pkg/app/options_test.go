package app

import (
	"strings"
	"testing"
)

func TestValidateClusterName(t *testing.T) {
	for _, test := range []struct {
		name     string
		inStatus bool
		want     string
	}{
		{"", false, ""},
		{"gke_project_europe-west1_prod", true, ""},
		{strings.Repeat("x", 253), false, ""},
		{strings.Repeat("x", 254), false, "--cluster-name has to be one line"},
		{"a\nb", false, "--cluster-name has to be one line"},
		{"", true, "--cluster-name-in-commit-status needs --cluster-name"},
	} {
		o := DefaultOptions()
		o.ClusterName, o.ClusterNameInCommitStatus = test.name, test.inStatus
		err := o.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.20q, %t: %v, want %q", test.name, test.inStatus, err, test.want)
		}
	}
}
