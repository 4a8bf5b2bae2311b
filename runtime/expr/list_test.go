package expr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParseList: commas part elements, and nothing else is read into them.
func TestParseList(t *testing.T) {
	t.Parallel()
	most := strings.TrimSuffix(strings.Repeat("x,", MostElements), ",")
	tests := []struct {
		text, err string
		want      []string
	}{
		{text: ""},
		{text: "a", want: []string{"a"}},
		{text: "a,b c,\"d\\", want: []string{"a", "b c", `"d\`}},
		{text: ",", err: `"," is not a list: element 1 is empty`},
		{text: "a,,b", err: `"a,,b" is not a list: element 2 is empty`},
		{text: "a,", err: `"a," is not a list: element 2 is empty`},
		{text: "a, b", err: `"a, b" is not a list: element 2 has white space at an end`},
		{text: "a\t,b", err: `"a\t,b" is not a list: element 1 has white space at an end`},
		{text: "a\n", err: `"a\n" is not a list: element 1 is not one line of text`},
		{text: most, want: strings.Split(most, ",")},
		{text: most + ",x", err: "a list has at most 1000 elements"},
		{text: most + ",x,,", err: "a list has at most 1000 elements"},
	}
	for _, test := range tests {
		got, err := ParseList(test.text)
		if err != nil != (test.err != "") || err != nil && err.Error() != test.err {
			t.Errorf("%.40q: %v, not %s", test.text, err, test.err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%.40q: %s", test.text, diff)
		}
		if v := (Value{Kind: List, Text: test.text}); err == nil && !cmp.Equal(v.Words(), got) {
			t.Errorf("%.40q comes to the words %q", test.text, v.Words())
		}
	}
}

// TestListsOfKinds: what a list may hold, and where it cannot stand.
func TestListsOfKinds(t *testing.T) {
	t.Parallel()
	list := FlagOf("list-1")
	for _, test := range []struct {
		e   Expr
		err string
	}{
		{ListOf("a,b"), "element 1 of the list holds a comma, which parts elements"},
		{ListOf("a", ""), "element 2 of the list is empty"},
		{Call(OpList, HostOf("name")), "the elements of a list are texts that are known now"},
		{Fmt("{}", list), `a list has no text of its own: write join(LIST, ",")`},
		{Call(OpJoin, list), "join takes a list and a text, not 1 values"},
		{Call(OpJoin, TextOf("x"), TextOf(",")), "join takes a list, not a text"},
		{Call(OpJoin, list, HostOf("name")), "what join puts between elements is a text that is known now"},
		{Call(OpAdd, list, IntOf(1)), "add works on numbers, not on a list"},
		{Call(OpMax, list), "max works on numbers, not on a list"},
	} {
		if _, err := test.e.Kind(testKind); err == nil || err.Error() != test.err {
			t.Errorf("%s: %v", show(test.e), err)
		}
	}
	if kind, err := Call(OpJoin, ListOf("a", "b"), TextOf(", ")).Kind(testKind); kind != Text || err != nil {
		t.Errorf("join is a %s, %v", kind, err)
	}
	if kind, err := ListOf().Kind(testKind); kind != List || err != nil {
		t.Errorf("the empty list is a %s, %v", kind, err)
	}
}

// TestShellWords: a list comes to a word for each element, which the shell parts without looking at them.
func TestShellWords(t *testing.T) {
	t.Parallel()
	odd := []string{"it's", "$x", "*", "a b", `"q"`, `\`, "é", "-n", "[a]"}
	for name, command := range shells(t) {
		sh := NewShell(testKind)
		_, literal, _, err := sh.Words(ListOf(odd...))
		if err != nil {
			t.Fatal(err)
		}
		_, flag, split, err := sh.Words(FlagOf("list-1"))
		if err != nil || !split {
			t.Fatalf("split %t, %v", split, err)
		}
		_, none, _, err := sh.Words(ListOf())
		if err != nil || none != "" {
			t.Fatalf("the empty list is %q, %v", none, err)
		}
		script := "flag_list_1=" + QuoteShell(JoinElements(odd)) + "\nflag_list_2=\nIFS=, && set -f\nprintf '%s\\n' " + literal + " " + flag + " $flag_list_2 end\n"
		want := strings.Join(append(append(append([]string{}, odd...), odd...), "end\n"), "\n")
		if got := run(t, command, script); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
}
