package plan

import (
	"testing"

	"recipe/runtime/expr"
)

func TestFlagParse(t *testing.T) {
	enum := Flag{Type: FlagEnum, Values: []string{"debug", "info"}}
	bounded := Flag{Type: FlagInt, Min: number(-5), Max: number(5)}
	cases := []struct {
		flag Flag
		text string
		want string // the value's text, or the error's
	}{
		{Flag{Type: FlagPort}, "8080", "8080"},
		{Flag{Type: FlagPort}, "0", "0 is out of range: 1 to 65535"},
		{Flag{Type: FlagPort}, "65536", "65536 is out of range: 1 to 65535"},
		{Flag{Type: FlagPort}, "+80", `"+80" is not a whole number of 64 bits`},
		{Flag{Type: FlagPort}, "080", `"080" is not a whole number of 64 bits`},
		{Flag{Type: FlagPort}, " 80", `" 80" is not a whole number of 64 bits`},
		{bounded, "-5", "-5"},
		{bounded, "-6", "-6 is out of range: -5 to 5"},
		{Flag{Type: FlagInt}, "9223372036854775808", `"9223372036854775808" is not a whole number of 64 bits`},
		{Flag{Type: FlagBool}, "true", "true"},
		{Flag{Type: FlagBool}, "yes", `"yes" is not a bool: true or false`},
		{enum, "info", "info"},
		{enum, "Info", `"Info" is not one of: debug, info`},
		{Flag{Type: FlagDuration}, "60s", "1m"},
		{Flag{Type: FlagDuration}, "5", `"5" is not a duration: a whole number and ms, s, m, h or d, as in 10s`},
		{Flag{Type: FlagSize}, "1KiB", "1024"},
		{Flag{Type: FlagSize, Max: number(1 << 20)}, "2MiB", "2MiB is out of range: 0B to 1MiB"},
		{Flag{Type: FlagInt, Unit: "workers", Max: number(9)}, "10", "10 workers is out of range: at most 9 workers"},
		{Flag{Type: FlagInt, Unit: "workers", Min: number(2), Max: number(9)}, "1", "1 workers is out of range: 2 to 9 workers"},
		{Flag{Type: FlagList}, "a,b", "a,b"},
		{Flag{Type: FlagList}, "a,,b", `"a,,b" is not a list: element 2 is empty`},
		{Flag{Type: FlagList, Min: number(1), Max: number(2)}, "", "0 elements is out of range: 1 to 2 elements"},
		{Flag{Type: FlagList, Min: number(1), Max: number(2)}, "a,b,c", "3 elements is out of range: 1 to 2 elements"},
		{Flag{Type: FlagList, Pattern: "[a-z]+"}, "a,B,C", `"B" does not match [a-z]+`},
		{Flag{Type: FlagString, Min: number(2)}, "a", "1 byte is out of range: at least 2 bytes"},
		{Flag{Type: FlagList, Min: number(2)}, "a", "1 element is out of range: 2 to 1000 elements"},
		{Flag{Type: FlagString, Pattern: "[a-z]+"}, "a1", `"a1" does not match [a-z]+`},
		{Flag{Type: FlagString, Pattern: "[a-z]+"}, "", `"" does not match [a-z]+`},
		{Flag{Type: FlagString, Min: number(3)}, "é", "2 bytes is out of range: at least 3 bytes"},
		{Flag{Type: FlagString, Secret: true, Min: number(8), Pattern: "[a-z0-9]+"}, "hunter2", "the value in it is not accepted: one line of text, at least 8 bytes, matching [a-z0-9]+"},
		{Flag{Type: FlagPath}, "/srv/foo", "/srv/foo"},
		{Flag{Type: FlagPath}, "srv", `"srv" is not an absolute path`},
		{Flag{Type: FlagPath}, "/a/../b", `"/a/../b" is not a clean path: it has an element ".."`},
		{Flag{Type: FlagString}, "a b=c", "a b=c"},
		{Flag{Type: FlagString}, "a\nb", "it is not one line of text"},
	}
	for _, c := range cases {
		v, err := c.flag.Parse(c.text)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %q: got %s, wanted %s", c.flag.Type, c.text, got, c.want)
		}
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		flag Flag
		want string
	}{
		{Flag{Type: FlagPort, Min: number(1024)}, "1024 to 65535"},
		{Flag{Type: FlagInt}, "any whole number"},
		{Flag{Type: FlagInt, Max: number(3)}, "at most 3"},
		{Flag{Type: FlagDuration, Min: number(1000)}, "at least 1s"},
		{Flag{Type: FlagEnum, Values: []string{"a", "b"}}, "a, b"},
	} {
		if got := c.flag.Range(); got != c.want {
			t.Errorf("%s: got %q, wanted %q", c.flag.Type, got, c.want)
		}
	}
}

func TestUnits(t *testing.T) {
	for text, ms := range map[string]int64{"0s": 0, "1ms": 1, "1500ms": 1500, "10s": 10_000, "5m": 300_000, "2h": 7_200_000} {
		if got := Duration(ms).String(); got != text {
			t.Errorf("%d ms is %s, wanted %s", ms, got, text)
		}
		if got, err := expr.ParseDuration(text); err != nil || got != ms {
			t.Errorf("%s is %d (%v), wanted %d", text, got, err, ms)
		}
	}
	if _, err := expr.ParseSize("9999999TiB"); err == nil {
		t.Error("9999999TiB does not fit in 64 bits")
	}
}
