package plan

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled is the schema as a validator of another author's reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("plan.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaTakesWholePlans validates the plan that uses every type and field.
func TestSchemaTakesWholePlans(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "whole.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t).Validate(doc); err != nil {
		t.Errorf("%v", err)
	}
}

// TestSchemaRefusesWhatDecodeRefuses changes the plan that uses every field, place by place: the schema takes neither a
// field that there is not, nor a value of another type, and Decode is of its mind.
func TestSchemaRefusesWhatDecodeRefuses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "whole.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := compiled(t)
	refused := 0
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	try := func(path string) {
		changed, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(changed))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(parsed) == nil {
			t.Errorf("%s: the schema takes it", path)
		}
		if _, err := Decode(changed); err == nil {
			t.Errorf("%s: Decode takes it", path)
		}
		refused++
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			v["surplus"] = 1.0
			try(path + ".surplus")
			delete(v, "surplus")
			for key, value := range v {
				v[key] = map[string]any{"nobody": "knows"}
				try(path + "." + key)
				v[key] = value
				walk(path+"."+key, value)
			}
		case []any:
			for i, value := range v {
				v[i] = map[string]any{"nobody": "knows"}
				try(path)
				v[i] = value
				walk(path, value)
			}
		}
	}
	walk("plan", doc)
	if refused < 200 {
		t.Errorf("only %d changes were tried", refused)
	}
}
