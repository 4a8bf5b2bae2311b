package interp

import "recipe/builtins"

// explainTests explains the codes of tests. Their examples stand in test files, which Try does not evaluate, so that what
// is said of them is written out.
func explainTests() []Explanation {
	return []Explanation{
		{
			Code:    builtins.CodeAssertion,
			Reason:  "An assertion of a test does not hold.",
			Example: "assert.eq(1 + 1, 3)",
			Says:    "assert.eq: the values differ; found: 2 (int); accepted: 3 (int)\n",
			Mend:    "assert.eq(1 + 1, 2)",
		},
		{
			Code:    builtins.CodeGolden,
			Reason:  "A text is not that of the golden file that it is compared with, or there is no such file.",
			Example: "golden(\"foo.conf\", \"port 80\\n\")",
			Says:    "golden: there is no testdata/foo.conf\n",
			Mend:    "recipe test --update, when the text is right",
		},
		{
			Code:    builtins.CodeNoResult,
			Reason:  "A test asks what a recipe means that has errors. What was evaluated has errors instead.",
			Example: "recipe = evaluate(\"broken.star\")\nassert.eq(len(recipe.errors), 1)\nassert.eq(recipe.digest, \"\")",
			Says:    "recipe.digest: the recipe is not sound, or its flags cannot be used, so there is none\n",
			Mend:    "recipe = evaluate(\"broken.star\")\nassert.eq(len(recipe.errors), 1)",
		},
		{
			Code:    CodeUnresolved,
			Reason:  "The flags that a test gives cannot be used, or a value cannot be computed on the host that it gives.",
			Example: "evaluate(\"foo.star\", set = {\"port\": 70000})",
			Says:    "evaluate: --set: flag \"port\": 70000 is out of range: 1 to 65535\n",
			Mend:    "evaluate(\"foo.star\", set = {\"port\": 7000})",
		},
		{
			Code:    CodeNoTests,
			Reason:  "A test file holds functions whose names begin with test_. One without any would pass by mistake.",
			Example: "def it_evaluates(): ...",
			Says:    "the file has no test\n",
			Mend:    "def test_it_evaluates(): ...",
		},
	}
}
