package suite

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"recipe/builtins/diag"
)

// Report is what became of a file: its tests in their order, or what is wrong with the file as a whole.
type Report struct {
	File  string
	Wrong diag.List
	Tests []Verdict
}

// Failed counts the tests that failed, and a file that cannot be run as one.
func (r *Report) Failed() int {
	n := 0
	if r.Wrong.Failed() {
		n++
	}
	for i := range r.Tests {
		if !r.Tests[i].Passed() {
			n++
		}
	}
	return n
}

// Verdict is a test's result, and how long it took by the clock of whoever ran it.
type Verdict struct {
	Name string
	Took time.Duration
	Result
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is the reports as JUnit XML: a suite a file, a case a test. A file that cannot be run is a case with an error.
func JUnit(reports []Report) ([]byte, error) {
	all := junitSuites{Name: "recipe test"}
	var whole time.Duration
	for i := range reports {
		r := &reports[i]
		s := junitSuite{Name: r.File, Tests: len(r.Tests)}
		var took time.Duration
		if r.Wrong.Failed() {
			s.Tests, s.Errors = s.Tests+1, 1
			s.Cases = append(s.Cases, junitCase{Name: "(file)", Class: r.File, Time: seconds(0), Error: failure(r.Wrong)})
		}
		for j := range r.Tests {
			v := &r.Tests[j]
			took += v.Took
			c := junitCase{Name: v.Name, Class: r.File, Time: seconds(v.Took)}
			if v.Passed() {
				c.Out = v.Diagnostics.String()
			} else {
				s.Failures++
				c.Failure = failure(v.Diagnostics)
			}
			s.Cases = append(s.Cases, c)
		}
		s.Time = seconds(took)
		whole += took
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, s)
	}
	all.Time = seconds(whole)
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write JUnit XML: %w", err)
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

func failure(list diag.List) *junitFailure {
	f := &junitFailure{Text: list.String()}
	for _, d := range list {
		if d.Severity == diag.Error {
			f.Type = d.Code
			f.Message, _, _ = strings.Cut(d.String(), "\n")
			break
		}
	}
	return f
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
