package hosttest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/pack"
	"recipe/runtime/plan"
)

// itself is a package of the command.
func itself(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "recipe"), "../cmd/recipe").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &plan.Plan{Format: plan.Format, Name: "recipe", Package: &plan.Package{
		Name: "recipe", Version: "1", Release: 1, Maintainer: "Foo Team <foo@example.org>", Summary: "supervises", Style: "full", Runtime: "standalone",
		Contents: []plan.Content{{Kind: plan.ContentFile, Source: "recipe", Path: "/usr/bin/recipe", Mode: 0o755}},
	}}
	path, err := pack.BuildFile(t.TempDir(), pack.Options{Plan: p, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// supervised follows the tour's package where recipe itself supervises, with a probe that is a function.
func supervised(t *testing.T, h *Host) {
	t.Helper()
	edits := []string{"depends = [],", "depends = [], runtime = \"recipe\",", "    probes = [\n", "    probes = [\n        script(deep, every = \"1s\", timeout = \"900ms\", failures = 2),\n",
		"service(\n", "def deep(probe):\n    return probe.http(\"GET\", \"/healthz\", port = port).status == 200\n\nservice(\n"}
	first, second := tour(t, edits...), tour(t, append([]string{"1.4.2", "1.4.3"}, edits...)...)
	h.Copy(first, "/root/1.deb")
	h.Copy(second, "/root/2.deb")
	if out, err := h.Try("dpkg", "-i", "/root/1.deb"); err == nil || !strings.Contains(out, "foo depends on recipe") {
		t.Errorf("it is installed without recipe: %v\n%s", err, out)
	}
	h.Copy(itself(t), "/root/recipe.deb")
	out := h.Must("dpkg", "-i", "/root/recipe.deb", "/root/1.deb")
	if strings.Contains(out, "not healthy") {
		t.Error(out)
	}
	healthy := func() error {
		if out, err := h.Try("recipe", "probe", "/usr/share/foo/plan.json"); err != nil {
			return errors.New(out)
		}
		return nil
	}
	pid := func() string {
		out, _ := h.Try("sh", "-c", "for p in /proc/[0-9]*; do case $(readlink $p/exe) in */food) echo ${p#/proc/};; esac; done")
		return out
	}
	replaced := func(before string) {
		t.Helper()
		took := h.Within(15*time.Second, func() error {
			if now := pid(); now == before || now == "" {
				return fmt.Errorf("its pid is %q, before it was %q", now, before)
			}
			return healthy()
		})
		t.Logf("replaced and healthy after %s", took.Round(10*time.Millisecond))
	}
	h.Within(15*time.Second, healthy)
	if out := h.Must("recipe", "status"); !strings.Contains(out, "foo") || !strings.Contains(out, "healthy") {
		t.Errorf("recipe status says\n%s", out)
	}
	before := pid()
	if got := h.Must("sh", "-c", "grep ^0:: /proc/$(systemctl show --property=MainPID --value foo)/cgroup"); !strings.HasSuffix(got, "/foo.service/supervisor") {
		t.Errorf("the supervisor leaves no room for controllers: it is in %s", got)
	}
	group := "/sys/fs/cgroup" + strings.TrimPrefix(h.Must("sh", "-c", "grep ^0:: /proc/"+before+"/cgroup"), "0::")
	if all := h.Must("cat", "/sys/fs/cgroup/cgroup.controllers"); !strings.Contains(all, "memory") {
		t.Logf("no bound of memory was looked at: cgroup2 has %q here", all)
	} else if got, err := h.Try("cat", group+"/memory.max"); err != nil || got != "268435456" {
		t.Errorf("the bound of its memory is %q, %v", got, err)
	}
	h.Must("sh", "-c", "kill -STOP "+before)
	replaced(before)

	before = pid()
	h.Must("dpkg", "-i", "/root/2.deb")
	replaced(before)
	if out := h.Must("curl", "-fsS", "http://127.0.0.1:8080/stats"); !strings.Contains(out, "1.4.3") {
		t.Errorf("after the upgrade /stats says %s", out)
	}
	h.Must("recipe", "stop", "foo")
	h.Must("dpkg", "-i", "/root/2.deb")
	if now := pid(); now != "" {
		t.Errorf("an upgrade starts what was stopped: %s", now)
	}
	h.Must("dpkg", "-P", "foo")
	if found := h.Must("sh", "-c", "find / /run /tmp -xdev -name '*foo*' ! -path '/proc/*' ! -path '/sys/*'; getent passwd foo || :"); found != "" {
		t.Errorf("the purge left:\n%s", found)
	}
}
