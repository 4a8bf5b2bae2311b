package interp

import "recipe/builtins"

// explainLints explains what is allowed and probably not meant, and what a recipe says itself.
func explainLints() []Explanation {
	return []Explanation{
		{
			Code:    CodeNoProbe,
			Reason:  "A daemon without a probe is restarted when it dies, but not when it hangs.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [http(8080, "/healthz")])`,
		},
		{
			Code:    CodeConnectOnly,
			Reason:  "The kernel accepts connections for a daemon that hangs, so that a connection proves little.",
			Example: `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(6379, connect_only = True)])`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"], probes = [tcp(6379, send = "PING\r\n", expect = "PONG")])`,
		},
		{
			Code:    CodeNothing,
			Reason:  "A recipe that declares neither a service, a task nor a package makes nothing; a file that is being written anew looks like one for a moment.",
			Example: `port = 8080`,
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
		{
			Code:    builtins.CodeNote,
			Reason:  "What a recipe prints is shown as a note. It is no mistake.",
			Example: "print(\"two of them\")\nservice(name = \"foo\", command = [\"/usr/bin/foo\"])",
			Mend:    `service(name = "foo", command = ["/usr/bin/foo"])`,
		},
	}
}
