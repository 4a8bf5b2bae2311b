package interp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	stdtime "time"
)

// TestSameRecipeSameBytes evaluates one recipe in two folders, by absolute and by relative name, with another
// environment, and wants one plan.
func TestSameRecipeSameBytes(t *testing.T) {
	files := map[string]string{
		"foo.star":     `load("lib/x.star", "level")` + "\n" + `load("@std//probes.star", "http_ok")` + "\nservice(name = \"foo\", command = [\"/x\", level()], env = {\"B\": 1, \"A\": 2, \"C\": host.name}, probes = [http_ok(80)])\n",
		"lib/x.star":   "def level():\n    return flag(\"level\", type = \"int\", default = host.cpus)\n",
		"lib/y.star":   "unused = 1\n",
		"lib/x.txt":    "text",
		"dist/food":    "a file that no evaluation reads",
		"lib/.x.swp":   "neither this",
		"lib/z/a.star": "",
	}
	var plans []string
	for i, env := range []string{"C", "de_DE.UTF-8"} {
		dir := write(t, files)
		t.Setenv("LANG", env)
		t.Setenv("TZ", map[int]string{0: "UTC", 1: "Asia/Tokyo"}[i])
		t.Setenv("HOME", dir)
		path := filepath.Join(dir, "foo.star")
		if i == 1 {
			t.Chdir(dir)
			path = "foo.star"
			if err := os.Chtimes(path, stdtime.Unix(1, 0), stdtime.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		p, list := Evaluate(path, Options{})
		if p == nil {
			t.Fatal(list)
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, string(data))
		if strings.Contains(string(data), dir) {
			t.Errorf("the plan names its folder:\n%s", data)
		}
	}
	if plans[0] != plans[1] {
		t.Errorf("two plans:\n%s\n%s", plans[0], plans[1])
	}
}

// TestNothingOfTheMachineIsInReach lists every name of the language, so that a new one is looked at.
func TestNothingOfTheMachineIsInReach(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"time", "now", "random", "environ", "getenv", "os", "open", "json", "math", "glob", "hash_file"} {
		_, list := EvaluateBytes("x.star", []byte("x = "+name+"\n"+small), Options{})
		if !strings.Contains(list.String(), CodeUnknownWord) {
			t.Errorf("%s is in reach", name)
		}
	}
}
