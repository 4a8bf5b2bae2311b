package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// Given stands in place of a service for a probe: what it says to one question after another, and how a command that asks
// it ends.
type Given struct {
	Replies []Reply
	Exit    int
	Output  string
}

// Reply is what a daemon says to one question. One that is Silent never comes.
type Reply struct {
	Text   []byte
	Silent bool
}

var (
	replyType   = &Type{"reply", replies, readReply}                                                           // Reply
	repliesType = &Type{"list of replies", `replies, as in ["+PONG\r\n", {"status": 503}, None]`, readReplies} // []Reply
)

const replies = `a text, bytes, a dict as {"status": 503, "headers": {}, "body": ""}, or None for one that never comes`

func readReplies(it *item, v starlark.Value) any {
	list, ok := elements[Reply](it, v, readReply)
	if !ok {
		return nil
	}
	return list
}

func readReply(it *item, v starlark.Value) any {
	switch v := v.(type) {
	case starlark.String:
		return Reply{Text: []byte(v)}
	case starlark.Bytes:
		return Reply{Text: []byte(v)}
	case starlark.NoneType:
		return Reply{Silent: true}
	case *starlark.Dict:
		return readPage(it, v)
	}
	return it.mismatch(v, replies, "")
}

// readPage is a reply over HTTP.
func readPage(it *item, d *starlark.Dict) any {
	p := page{status: 200}
	of := *it.parameter
	for _, kv := range d.Items() {
		name, _ := starlark.AsString(kv[0])
		e := it.entry(name)
		e.parameter = &of
		switch name {
		case "status":
			of.Type = intType
			p.status, _ = readInt(e, kv[1]).(int64)
		case "headers":
			of.Type = headersType
			p.headers, _ = readHeaders(e, kv[1]).([]plan.Header)
		case "body":
			of.Type = bytesType
			p.body, _ = readBytes(e, kv[1]).(plan.Bytes)
		default:
			names := []string{"status", "headers", "body"}
			return it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: "a reply over HTTP has no such part", Found: show(kv[0]), Accepted: strings.Join(names, ", "), Hint: plan.Nearest(name, names)})
		}
	}
	if !p.sound() {
		return it.fault(diag.Diagnostic{Code: plan.CodeKind, Message: noStatus, Found: fmt.Sprint(p.status), Accepted: statuses})
	}
	return p.reply()
}

const (
	noStatus = "this is no status of HTTP"
	statuses = "100 to 999"
)

// page is a reply over HTTP.
type page struct {
	status  int64
	headers []plan.Header
	body    plan.Bytes
}

func (p *page) sound() bool { return p.status >= 100 && p.status <= 999 }

func (p *page) reply() Reply {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d\r\n", p.status)
	long := false
	for _, h := range p.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		long = long || strings.EqualFold(h.Name, "Content-Length") || strings.EqualFold(h.Name, "Transfer-Encoding")
	}
	if !long {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(p.body))
	}
	return Reply{Text: []byte(b.String() + "Connection: close\r\n\r\n" + string(p.body))}
}

// givenOf reads what a test gives in place of a service.
func givenOf(r *Recording, a *arguments, p *plan.Probe) (g Given, ok bool) {
	refuse := func(parameter, message, accepted string) (Given, bool) {
		r.report(a.call, Whole(parameter), diag.Diagnostic{Code: plan.CodeKind, Message: message, Accepted: accepted})
		return Given{}, false
	}
	given := func(names ...string) string {
		for _, name := range names {
			if a.given(name) != nil {
				return name
			}
		}
		return ""
	}
	ends, composed := given("exit", "output"), given("status", "headers", "body")
	said := given("reply", "replies")
	switch {
	case p.Notify != nil:
		return refuse("probe", "what the daemon says of itself is heard by who supervises it, and not judged by its words", "a probe that asks, or log_line")
	case p.LogLine != nil && composed+ends != "":
		return refuse(given("status", "headers", "body", "exit", "output"), "a log_line probe reads lines of the daemon's output", `reply = "ready"`)
	case p.Exec != nil && said+composed != "":
		return refuse(given("reply", "replies", "status", "headers", "body"), "an exec probe runs a command, and hears no reply", `exit = 1, output = "..."`)
	case p.Exec != nil && ends == "":
		return refuse("probe", "nothing says how the command ends", "exit = 0, or another exit code")
	case p.Exec != nil:
		return Given{Exit: int(clampInt(get[int64](a, "exit"))), Output: get[string](a, "output")}, true
	case ends != "":
		return refuse(ends, "only an exec probe runs a command", `reply = "..."`)
	case given("reply") != "" && given("replies") != "":
		return refuse("replies", "there is one reply, or a list of them", "one of the two")
	case said != "" && composed != "":
		return refuse(said, "a reply is given as it is, or as a status and a body", "one of the two")
	case given("reply") != "":
		return Given{Replies: []Reply{get[Reply](a, "reply")}}, true
	case given("replies") != "":
		return Given{Replies: get[[]Reply](a, "replies")}, true
	case composed == "":
		return refuse("probe", "there is no reply to judge", `reply = "...", or status and body of an http probe`)
	case p.HTTP == nil && p.Script == nil:
		return refuse("probe", "only the reply to an http probe has a status and a body", `reply = "..."`)
	}
	one := page{status: 200, headers: get[[]plan.Header](a, "headers"), body: get[plan.Bytes](a, "body")}
	if a.given("status") != nil {
		one.status = get[int64](a, "status")
	}
	if !one.sound() {
		return refuse("status", noStatus, statuses)
	}
	return Given{Replies: []Reply{one.reply()}}, true
}
