package script

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// http sends one request on a connection of its own, and reads the answer, of whose body 1 MiB.
func (r *run) http(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var p place
	var method, path string
	var body starlark.Value = starlark.String("")
	headers := &starlark.Dict{}
	pairs := append([]any{"method", &method, "path", &path}, append(p.pairs(), "headers?", &headers, "body?", &body)...)
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, pairs...); err != nil {
		return nil, err
	}
	request, err := write(p, method, path, headers, body)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	c, err := r.open(p)
	if err != nil {
		return nil, err
	}
	reply, err := c.converse(method, request)
	asks[bool](r, "close", struct{ ID int }{c.id})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %s", method, path, ending(err))
	}
	return reply, nil
}

// write makes the request's text. What would end a line of it early is refused.
func write(p place, method, path string, headers *starlark.Dict, body starlark.Value) ([]byte, error) {
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, fmt.Errorf("%q is no method of HTTP", method)
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n\x00") {
		return nil, fmt.Errorf("%q is no path of a URL", path)
	}
	content, err := data(body)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	host := p.Host
	if host == "" {
		host = "127.0.0.1"
	}
	host = net.JoinHostPort(host, strconv.Itoa(p.Port))
	if p.Unix != "" {
		host = "localhost"
	}
	own := map[string]bool{}
	var lines strings.Builder
	for _, kv := range headers.Items() {
		name, named := starlark.AsString(kv[0])
		text, valued := starlark.AsString(kv[1])
		if !named || !valued || name == "" || strings.ContainsAny(name, " :\r\n\x00") || strings.ContainsAny(text, "\r\n\x00") {
			return nil, fmt.Errorf("the header %s: %s is none", kv[0], kv[1])
		}
		own[strings.ToLower(name)] = true
		fmt.Fprintf(&lines, "%s: %s\r\n", name, text)
	}
	for _, h := range [][2]string{{"Host", host}, {"User-Agent", "recipe"}, {"Accept", "*/*"}} {
		if !own[strings.ToLower(h[0])] {
			fmt.Fprintf(&lines, "%s: %s\r\n", h[0], h[1])
		}
	}
	if len(content) > 0 {
		fmt.Fprintf(&lines, "Content-Length: %d\r\n", len(content))
	}
	return append(fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", method, path, lines.String()), content...), nil
}

func (c *connection) converse(method string, request []byte) (starlark.Value, error) {
	if err := c.write(request); err != nil {
		return nil, err
	}
	answer := bufio.NewReader(io.LimitReader(c, 2*mostRead))
	var response *http.Response
	for response == nil || response.StatusCode < 200 { // 1xx announce the answer
		var err error
		if response, err = http.ReadResponse(answer, &http.Request{Method: method}); err != nil {
			return nil, err
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostRead+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > mostRead:
		return nil, fmt.Errorf("the body is longer than %d bytes", mostRead)
	}
	return replied(response, body), nil
}

// replied is the answer as a function sees it.
func replied(response *http.Response, body []byte) starlark.Value {
	headers := starlark.NewDict(len(response.Header))
	for name, values := range response.Header {
		headers.SetKey(starlark.String(strings.ToLower(name)), starlark.String(strings.Join(values, ", "))) // a text can be a key
	}
	return starlarkstruct.FromStringDict(starlark.String("reply"), starlark.StringDict{
		"status":  starlark.MakeInt(response.StatusCode),
		"headers": headers,
		"text":    starlark.String(body),
		"bytes":   starlark.Bytes(body),
		"json": starlark.NewBuiltin("json", func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
				return nil, err
			}
			if nesting(body) > 200 {
				return nil, errors.New("json: the body nests deeper than 200")
			}
			return starlark.Call(thread, json.Module.Members["decode"], starlark.Tuple{starlark.String(body)}, nil)
		}),
	})
}

// nesting is at least how deep brackets lie in one another: the decoder calls itself for each.
func nesting(body []byte) int {
	depth, most := 0, 0
	for _, c := range bytes.TrimSpace(body) {
		switch c {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth--
		}
	}
	return most
}
