package launch

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// flags writes the part that finds the value of every flag: the flags file, then secrets and defaults in the order of
// declaration.
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
		switch f := &w.plan.Flags[i]; {
		case !f.Secret:
			w.defaultOf(f)
		case !w.openly:
			w.secret(f)
		}
	}
	if w.warns() {
		fmt.Fprintf(out, "if [ -n \"$warnings\" ]; then printf %%s \"$warnings\" >&2; fi\n")
	}
}

// warns reports whether a setting may deserve a warning.
func (w *script) warns() bool {
	return !w.openly && slices.ContainsFunc(w.plan.Flags, func(f plan.Flag) bool { return f.Deprecated != "" || len(f.RenamedFrom) > 0 })
}

// renamed reports whether a flag can be set by several names.
func (w *script) renamed() bool {
	return slices.ContainsFunc(w.plan.Flags, func(f plan.Flag) bool { return len(f.RenamedFrom) > 0 })
}

// setFlag writes the function that takes one setting of the file.
func (w *script) setFlag() {
	w.use("no_flag")
	out := &w.settle
	for _, f := range w.plan.Flags {
		fmt.Fprintf(out, "%s=\n", lineOf(&f))
	}
	unset := "why='' already='' value=$2"
	if w.warns() {
		fmt.Fprintf(out, "warnings=\n")
		unset += " warning=''"
	}
	if w.renamed() {
		unset += " formerly=''"
	}
	fmt.Fprintf(out, "set_flag() { # NAME VALUE, both from the file\n\t%s\n\tcase $1 in\n", unset)
	names := []string{}
	for i := range w.plan.Flags {
		f := &w.plan.Flags[i]
		names = append(names, f.Name)
		w.branch(f)
	}
	fmt.Fprintf(out, "\t*) no_flag \"$1\" '%s' %s ;;\n\tesac\n", strings.Join(names, ", "), strings.Join(names, " "))
	formerly := ""
	if w.renamed() {
		formerly = "$formerly"
	}
	fmt.Fprintf(out, "\tif [ -n \"$already\" ]; then why=\"is set already, in line $already%s\"; fi\n", formerly)
	if w.warns() {
		fmt.Fprintf(out, "\tif [ -z \"$why\" ] && [ -n \"$warning\" ]; then warnings=\"${warnings}run-$service: $flags:$number: $warning$newline\"; fi\n")
	}
	fmt.Fprintf(out, "\tif [ -n \"$why\" ]; then why=\"flag $(quoted \"$1\"): $why\"; fi\n}\n")
}

// branch writes what a setting of one flag does.
func (w *script) branch(f *plan.Flag) {
	out := &w.settle
	fmt.Fprintf(out, "\t%s)\n", strings.Join(append([]string{f.Name}, f.RenamedFrom...), " | "))
	variable := expr.ShellFlag(f.Name)
	checks := append(w.parse(f), w.accept(f)...)
	if f.Secret {
		w.use("secret_path")
		variable, checks = fileOf(f), []string{`secret_path "$2" "$1"`}
	}
	for _, check := range checks {
		fmt.Fprintf(out, "\t\t%s\n", check)
	}
	q := expr.QuoteShell
	if f.Deprecated != "" && !w.openly {
		fmt.Fprintf(out, "\t\twarning=%s\n", q(fmt.Sprintf("flag %q is deprecated: %s", f.Name, f.Deprecated)))
	}
	if len(f.RenamedFrom) > 0 {
		fmt.Fprintf(out, "\t\tformerly=%s\n", q(fmt.Sprintf("; %s was called %s", f.Name, strings.Join(f.RenamedFrom, ", "))))
	}
	if len(f.RenamedFrom) > 0 && !w.openly {
		fmt.Fprintf(out, "\t\tif [ \"$1\" != %s ]; then warning=\"flag \\\"$1\\\" is now called \\\"%[1]s\\\": write %[1]s=...\"; fi\n", f.Name)
	}
	fmt.Fprintf(out, "\t\t%s=$value already=$%s %[2]s=${%[2]s:-$number}\n\t\t;;\n", variable, lineOf(f))
}

// lineOf is the variable that holds the line of the file which set the flag; empty is none.
func lineOf(f *plan.Flag) string { return "line" + strings.TrimPrefix(expr.ShellFlag(f.Name), "flag") }

// fileOf is the variable that holds the path of a secret's file.
func fileOf(f *plan.Flag) string { return "file" + strings.TrimPrefix(expr.ShellFlag(f.Name), "flag") }

// secret reads the file of a secret. What it holds never stands in an argument of a program: printf is the shell's own.
func (w *script) secret(f *plan.Flag) {
	w.use("read_secret")
	fmt.Fprintf(&w.settle, "if [ -z \"$%s\" ]; then %s=; fi\nread_secret %s \"$%[2]s\"\n", lineOf(f), fileOf(f), f.Name)
	if accept := w.accept(f); len(accept) > 0 {
		fmt.Fprintf(&w.settle, "why=\n%s\n", strings.Join(accept, "\n"))
		fmt.Fprintf(&w.settle, "if [ -n \"$why\" ]; then insane \"$flag the file $secret: the value in it is not accepted: \"%s; fi\n", expr.QuoteShell(f.Range()))
	}
	fmt.Fprintf(&w.settle, "%s=$value\n", expr.ShellFlag(f.Name))
}

// parse reads $2 as a value of the flag's type into $value, or says $why not.
func (w *script) parse(f *plan.Flag) []string {
	function := map[plan.FlagType]string{plan.FlagInt: "whole", plan.FlagPort: "whole", plan.FlagBool: "truth",
		plan.FlagDuration: "a_duration", plan.FlagSize: "a_size", plan.FlagList: "elements", plan.FlagPath: "clean_path"}[f.Type]
	if function == "" {
		return nil
	}
	w.use(function)
	return []string{function + ` "$2"`}
}

// accept judges $value by the flag's range, pattern and choices; of a list also $count.
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
	case plan.FlagInt, plan.FlagPort, plan.FlagDuration, plan.FlagSize, plan.FlagString, plan.FlagList:
		return append(w.within(f), w.matches(f)...)
	}
	return nil
}

func (w *script) within(f *plan.Flag) []string {
	low, high := f.Bounds()
	anything := low == math.MinInt64 && high == math.MaxInt64
	if f.Type == plan.FlagString || f.Type == plan.FlagList {
		anything = f.Min == nil && f.Max == nil
	}
	if anything {
		return nil
	}
	w.use("within")
	q := expr.QuoteShell
	number := map[plan.FlagType]string{plan.FlagString: `"${#value}"`, plan.FlagList: `"$count"`}[f.Type]
	words := []string{"within", cmp.Or(number, `"$value"`), fmt.Sprint(low), fmt.Sprint(high), q(f.Limits()), q(f.Suffix())}
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

func (w *script) matches(f *plan.Flag) []string {
	if f.Pattern == "" {
		return nil
	}
	ere, err := plan.PatternERE(f.Pattern)
	if err != nil && w.err == nil {
		w.err = err
	}
	function := "matches"
	if f.Type == plan.FlagList {
		function = "each_matches"
	}
	w.use(function)
	return []string{function + " " + expr.QuoteShell(ere) + " " + expr.QuoteShell(f.Pattern)}
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
		switch accept = w.accept(f); {
		case f.Type == plan.FlagString:
			w.use("one_line")
			accept = append([]string{"one_line"}, accept...)
		case f.Type == plan.FlagList && len(accept) > 0:
			accept = append([]string{`elements "$value"`}, accept...)
		}
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
