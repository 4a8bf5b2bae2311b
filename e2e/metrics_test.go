package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestMetricsAndHealth scrapes a supervisor whose port was taken by another at first, which touches no service.
func TestMetricsAndHealth(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	args, web := ports(t)
	base := "http://" + other.Addr().String()
	s := h.run(append(args, "--dev", h.tour(), "--http", other.Addr().String())...)
	h.becomesHealthy("foo", "foo")
	taken := fmt.Sprintf("cannot listen on %s: bind: address already in use; it is tried again every 5s", other.Addr())
	h.until("the taken port is said", func() bool { return strings.Contains(s.out.String(), taken) }, s.out.String)
	other.Close()
	h.until("it is served", func() bool { return ask(base+"/healthz") == "ok\n" }, func() string { return ask(base + "/healthz") })

	tell(web + "/do/crash")
	h.until("the crash is counted", func() bool {
		return strings.Contains(ask(base+"/metrics"), `recipe_service_restarts_total{service="foo",reason="exit"} 1`)
	}, func() string { return ask(base + "/metrics") })
	h.must("stop", "foo")
	if got := ask(base + "/healthz?service=foo"); got != "foo: stopped\n" {
		t.Errorf("of a stopped service: %q", got)
	}
	if got := ask(base + "/healthz"); got != "ok\n" {
		t.Errorf("all that is wanted is up, and yet: %q", got)
	}
	if _, stderr, code := h.recipe("run", "foo.star", "--http", "9464"); code != 2 || !strings.Contains(stderr, "give HOST:PORT") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	s.interrupt()
	if got := ask(base + "/healthz"); got != "" {
		t.Errorf("after the end: %q", got)
	}
}
