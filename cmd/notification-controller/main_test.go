package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/notification-controller/notification-controller/pkg/app"
)

// asMain is the environment variable that has the test binary be the command.
const asMain = "RUN_AS_NOTIFICATION_CONTROLLER"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// invoke runs the command. It finds no cluster.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), asMain+"=1", "KUBECONFIG="+t.TempDir()+"/none")
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	// What it says of the exit code is in ProcessState.
	_ = command.Run()
	return command.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestServer has the invocations of the server: subcommands have changed nothing for them.
func TestServer(t *testing.T) {
	flags := pflag.NewFlagSet("notification-controller", pflag.ContinueOnError)
	options := app.DefaultOptions()
	options.AddFlags(flags)
	usage := "Usage of notification-controller:\n" + flags.FlagUsages()
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-h"}, 0, usage},
		{"long help", []string{"--help"}, 0, usage},
		{"unknown flag", []string{"--explain"}, 1, "unknown flag: --explain\n"},
		{"argument", []string{"start"}, 1, "unexpected argument \"start\"\n"},
		{"subcommand after a flag", []string{"--log-level=debug", "explain"}, 1, "unexpected argument \"explain\"\n"},
		{"invalid option", []string{"--log-level=loud"}, 1, "--log-level: \"loud\" is none of trace, debug, info, error\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, test.args...)
			if code != test.code || stdout != "" || stderr != test.want {
				t.Errorf("code %d, want %d; stdout %q\ngot:  %q\nwant: %q", code, test.code, stdout, stderr, test.want)
			}
		})
	}
}

// TestSubcommand has the exit codes of subcommands, and where they print.
func TestSubcommand(t *testing.T) {
	if code, stdout, stderr := invoke(t, "path", "-f", "../../pkg/cli/testdata/shop", "-n", "apps", "github"); code != 0 || strings.Count(stdout, "/hook/") != 2 || stderr != "" {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := invoke(t, "explain", "-f", "none"); code != 2 || stdout != "" || !strings.HasPrefix(stderr, "error: ") {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
}

// TestCompletion completes names of subcommands, and flags of the server and of subcommands.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, stdout, _ := invoke(t, "completion", shell); code != 0 || !strings.Contains(stdout, "__complete") {
			t.Errorf("%s: code %d", shell, code)
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"ren"}, "render\n"},
		{[]string{"--receiver-r"}, "--receiver-rate-limit\n"},
		{[]string{"explain", "--rate"}, "--rate-limit-interval\n"},
		{[]string{"explain", "-o", ""}, "json\n"},
	} {
		code, stdout, _ := invoke(t, append([]string{"__completeNoDesc"}, test.args...)...)
		if code != 0 || !strings.HasPrefix(stdout, test.want) {
			t.Errorf("%v: code %d: %q, want %q", test.args, code, stdout, test.want)
		}
	}
}
