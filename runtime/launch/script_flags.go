package launch

import (
	"fmt"
	"math"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// flags writes the part that finds the value of every flag: the flags file, then defaults in the order of declaration.
func (w *script) flags() {
	w.use("flags")
	out := &w.settle
	if len(w.plan.Flags) == 0 {
		fmt.Fprintf(out, "set_flag() { # NAME VALUE, both from the file\n\twhy=\"flag $(quoted \"$1\"): no such flag; the recipe has none\"\n}\n")
	} else {
		w.setFlag()
	}
	fmt.Fprintf(out, "flags=$root%s\nread_flags \"$flags\"\n", w.plan.FlagsPath())
	for i := range w.plan.Flags {
		w.defaultOf(&w.plan.Flags[i])
	}
}

// setFlag writes the function that takes one setting of the file.
func (w *script) setFlag() {
	w.use("no_flag")
	out := &w.settle
	for _, f := range w.plan.Flags {
		fmt.Fprintf(out, "%s=\n", lineOf(&f))
	}
	fmt.Fprintf(out, "set_flag() { # NAME VALUE, both from the file\n\twhy='' already='' value=$2\n\tcase $1 in\n")
	names := []string{}
	for i := range w.plan.Flags {
		f := &w.plan.Flags[i]
		names = append(names, f.Name)
		fmt.Fprintf(out, "\t%s)\n", f.Name)
		for _, check := range append(w.parse(f), w.accept(f)...) {
			fmt.Fprintf(out, "\t\t%s\n", check)
		}
		fmt.Fprintf(out, "\t\t%s=$value already=$%s %[2]s=${%[2]s:-$number}\n\t\t;;\n", expr.ShellFlag(f.Name), lineOf(f))
	}
	fmt.Fprintf(out, "\t*) no_flag \"$1\" '%s' %s ;;\n", strings.Join(names, ", "), strings.Join(names, " "))
	fmt.Fprintf(out, "\tesac\n\tif [ -n \"$already\" ]; then why=\"is set already, in line $already\"; fi\n")
	fmt.Fprintf(out, "\tif [ -n \"$why\" ]; then why=\"flag $(quoted \"$1\"): $why\"; fi\n}\n")
}

// lineOf is the variable that holds the line of the file which set the flag; empty is none.
func lineOf(f *plan.Flag) string { return "line" + strings.TrimPrefix(expr.ShellFlag(f.Name), "flag") }

// parse reads $2 as a value of the flag's type into $value, or says $why not.
func (w *script) parse(f *plan.Flag) []string {
	function := map[plan.FlagType]string{plan.FlagInt: "whole", plan.FlagPort: "whole", plan.FlagBool: "truth",
		plan.FlagDuration: "a_duration", plan.FlagSize: "a_size", plan.FlagPath: "clean_path"}[f.Type]
	if function == "" {
		return nil
	}
	w.use(function)
	return []string{function + ` "$2"`}
}

// accept judges $value by the flag's range and choices.
func (w *script) accept(f *plan.Flag) []string {
	q := expr.QuoteShell
	switch f.Type {
	case plan.FlagEnum:
		w.use("one_of")
		words := []string{"one_of", `"$value"`, q(strings.Join(f.Values, ", "))}
		for _, v := range f.Values {
			words = append(words, q(v))
		}
		return []string{strings.Join(words, " ")}
	case plan.FlagInt, plan.FlagPort, plan.FlagDuration, plan.FlagSize:
		low, high := f.Bounds()
		if low == math.MinInt64 && high == math.MaxInt64 {
			return nil
		}
		w.use("within")
		words := []string{"within", fmt.Sprint(low), fmt.Sprint(high), q(f.Range())}
		switch f.Type {
		case plan.FlagDuration:
			w.shell.Use("duration")
			words = append(words, "duration")
		case plan.FlagSize:
			w.use("size")
			words = append(words, "size")
		}
		return []string{strings.Join(words, " ")}
	}
	return nil
}

// defaultOf sets a flag that the file does not. Literals were judged with the plan.
func (w *script) defaultOf(f *plan.Flag) {
	lines, word, err := w.shell.Value(f.Default)
	if err != nil && w.err == nil {
		w.err = err
	}
	variable := expr.ShellFlag(f.Name)
	accept := []string{}
	if !f.Default.Constant() {
		accept = w.accept(f)
	}
	if len(lines) == 0 && len(accept) == 0 {
		fmt.Fprintf(&w.settle, "if [ -z \"$%s\" ]; then %s=%s; fi\n", lineOf(f), variable, word)
		return
	}
	w.use("fail")
	doing := expr.QuoteShell(fmt.Sprintf("flag %q: the default cannot be used", f.Name))
	fmt.Fprintf(&w.settle, "if [ -z \"$%s\" ]; then\n\tdoing=%s remedy=\": set it in $flags\"\n", lineOf(f), doing)
	for _, line := range lines {
		fmt.Fprintf(&w.settle, "\t%s\n", line)
	}
	if len(accept) > 0 {
		fmt.Fprintf(&w.settle, "\twhy='' value=%s\n\t%s\n\tif [ -n \"$why\" ]; then fail \"$why\"; fi\n", word, strings.Join(accept, "\n\t"))
		word = "$value"
	}
	fmt.Fprintf(&w.settle, "\t%s=%s remedy=\nfi\n", variable, word)
}
