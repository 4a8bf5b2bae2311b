package plan

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"recipe/runtime/expr"
)

// The forms of the texts in a plan, as regular expressions that JSON Schema and Go share.
const (
	durationForm = `^[0-9]+(ms|s|m|h|d)$`
	sizeForm     = `^[0-9]+(B|KiB|MiB|GiB|TiB)$`
	modeForm     = `^[0-7]{4}$`
)

// Schema is a JSON Schema, draft 2020-12, of the canonical form: every field, what is required, and the forms of texts.
// It is made of the types, so that it cannot fall behind them. What takes knowledge of the whole, such as a flag that is
// named and not declared, is left to Validate.
func Schema() ([]byte, error) {
	s := &schema{definitions: map[string]any{"expression": expressionSchema()}}
	root := s.object(reflect.TypeFor[Plan]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "plan of a recipe"
	root["$defs"] = s.definitions
	return encode(root)
}

// schema gathers the definitions of the types that it has met.
type schema struct{ definitions map[string]any }

// choices are the values of the text types that have few.
func choices(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[FlagType]():
		names := []string{}
		for _, f := range FlagTypes() {
			names = append(names, string(f))
		}
		return names
	case reflect.TypeFor[HookPhase]():
		names := []string{}
		for _, phase := range HookPhases() {
			names = append(names, string(phase))
		}
		return names
	case reflect.TypeFor[ApplyAction]():
		return []string{string(ApplyRestart), string(ApplySignal), string(ApplyNone)}
	case reflect.TypeFor[Role]():
		return Roles()
	}
	return nil
}

func (s *schema) of(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[expr.Expr]():
		return reference("expression")
	case reflect.TypeFor[Duration]():
		return textOf(durationForm)
	case reflect.TypeFor[Size]():
		return textOf(sizeForm)
	case reflect.TypeFor[Mode]():
		return textOf(modeForm)
	case reflect.TypeFor[Bytes]():
		coded := map[string]any{"type": "object", "additionalProperties": false, "required": []string{"base64"}, "properties": map[string]any{"base64": map[string]any{"type": "string"}}}
		return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, coded}}
	case reflect.TypeFor[Statuses]():
		one := map[string]any{"anyOf": []any{map[string]any{"type": "integer"}, textOf("^[0-9]+-[0-9]+$")}}
		return map[string]any{"anyOf": []any{map[string]any{"type": "integer"}, map[string]any{"type": "array", "items": one}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		name := strings.ToLower(t.Name())
		if s.definitions[name] == nil {
			s.definitions[name] = map[string]any{} // ends a circle
			s.definitions[name] = s.object(t)
		}
		return reference(name)
	case reflect.String:
		if values := choices(t); values != nil {
			return map[string]any{"enum": values}
		}
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{"type": "integer"}
}

// object is a struct. A field is required where its tag has it written always.
func (s *schema) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		properties[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		object["required"] = required
	}
	switch t {
	case reflect.TypeFor[Step]():
		object["minProperties"], object["maxProperties"] = 1, 1
	case reflect.TypeFor[Plan]():
		properties["format"] = map[string]any{"const": Format}
	}
	return object
}

func reference(name string) any { return map[string]any{"$ref": "#/$defs/" + name} }

func textOf(form string) any { return map[string]any{"type": "string", "pattern": form} }

// expressionSchema is a literal, or an object with one operator.
func expressionSchema() any {
	leaves := map[expr.Op]any{
		expr.OpPath: textOf("^/"), expr.OpFlag: map[string]any{"type": "string"}, expr.OpSize: textOf(sizeForm), expr.OpDuration: textOf(durationForm),
	}
	leaves[expr.OpHost] = map[string]any{"enum": slices.Sorted(maps.Keys(expr.FactKinds()))}
	forms := []any{map[string]any{"type": []string{"string", "integer", "boolean"}}}
	properties := map[string]any{}
	for op, form := range leaves {
		properties[string(op)] = form
	}
	for _, op := range expr.Operators() {
		properties[string(op)] = map[string]any{"type": "array", "items": reference("expression")}
	}
	forms = append(forms, map[string]any{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1})
	return map[string]any{"oneOf": forms}
}
