package interp

import "testing"

// TestStarlarksOwnFailuresAreTold gives what an author is told of calls that Starlark's own functions refuse.
func TestStarlarksOwnFailuresAreTold(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		`range("a")`:       "argument 1 is a text, and a whole number is wanted",
		`sorted(1)`:        "a whole number cannot be walked through",
		`zip(1)`:           "a whole number cannot be walked through",
		`len(5)`:           "a whole number has no length",
		`max([])`:          "there is no value to choose from",
		`"x".join([1])`:    "an item of the list is a whole number, and texts are joined",
		`"a".split(1)`:     "separator is a whole number, and a text is wanted",
		`[1, 2].index(3)`:  "what is looked for is not there",
		`int("abc")`:       "abc is no whole number",
		`{1: 2}[3]`:        "the dict has no key 3",
		`"abc"[10]`:        "a text has no item 10",
		`"a" * "b"`:        "a text and a text have no * between them",
		`[1].append(1, 2)`: "the word is given 2 arguments, and takes 1",
	} {
		_, list := EvaluateBytes("recipe.star", []byte("x = "+call+"\n"), Options{})
		if len(list) != 1 || list[0].Message != want {
			t.Errorf("%s: %s", call, list)
		}
	}
}
