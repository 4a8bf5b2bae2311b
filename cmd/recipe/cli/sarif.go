package cli

import (
	"fmt"
	"os"

	"recipe/builtins/diag"
	"recipe/interp"
)

// sarif is a list as a SARIF log, with the explanations of the codes as its rules.
func sarif(list diag.List) ([]byte, error) {
	base, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("cannot name the files from here: %w", err)
	}
	tool := diag.Tool{Version: version(), Base: base}
	for _, e := range interp.Explanations() {
		tool.Rules = append(tool.Rules, diag.Rule{Code: e.Code, Reason: e.Reason, Help: fmt.Sprintf("%s\n\nA mistake:\n\n%s\n\nMended:\n\n%s\n", e.Reason, e.Example, e.Mend)})
	}
	return list.SARIF(tool), nil
}
