package unit

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// SystemdSocket is SERVICE.socket, or nothing for a service that opens none or opens them itself. The service requires it, so
// that it comes up first and takes the service down with it. systemd hands over the sockets of one unit in the order in which
// it names them, and knows no order of units, so that all of a service are in one; run-SERVICE tells the daemon their names.
// What a unit has once, all of its sockets share, and what only a host knows it cannot say: both are errors.
//
// StopPropagatedFrom is not in it: at an automatic restart systemd 252 sometimes stops both for good.
func SystemdSocket(p *plan.Plan, s *plan.Service) ([]byte, error) {
	if len(s.Listen) == 0 {
		return nil, nil
	}
	refuse := func(socket *plan.Socket, why string) ([]byte, error) {
		return nil, fmt.Errorf("cannot make %s.socket: the socket %q %s", s.Name, socket.Name, why)
	}
	var u text
	u.section("Unit")
	u.set("Description", "sockets of "+s.Name+".service")
	u.set("ConditionPathExists", "!"+Stopped(p, s))
	u.section("Socket")
	var path, stream *plan.Socket
	for i := range s.Listen {
		socket := &s.Listen[i]
		address, ok := socketAddress(socket)
		if !ok {
			return refuse(socket, "depends on a flag or on the host, which systemd does not know when it listens: give it a port or a path that is fixed, or run the recipe with `recipe run`")
		}
		u.set(map[plan.SocketType]string{plan.Stream: "ListenStream", plan.Datagram: "ListenDatagram"}[socket.Type], address)
		if socket.Type == plan.Stream {
			if stream != nil && stream.Backlog != socket.Backlog {
				return refuse(socket, fmt.Sprintf("has another backlog than %q, and systemd has one for all of a service: give them the same", stream.Name))
			}
			stream = socket
		}
		if !socket.Path.IsZero() {
			if path != nil && (path.Mode != socket.Mode || path.Owner != socket.Owner || path.Group != socket.Group) {
				return refuse(socket, fmt.Sprintf("has another mode or owner than %q, and systemd has one for all of a service: give them the same", path.Name))
			}
			path = socket
		}
	}
	if stream != nil {
		u.set("Backlog", strconv.Itoa(stream.Backlog))
	}
	if path != nil {
		u.set("SocketMode", path.Mode.String())
		if path.Owner != "" {
			u.set("SocketUser", path.Owner)
		}
		if path.Group != "" {
			u.set("SocketGroup", path.Group)
		}
		u.set("DirectoryMode", "0755")
		u.set("RemoveOnStop", "yes")
	}
	if len(s.Listen) == 1 {
		u.set("FileDescriptorName", s.Listen[0].Name)
	}
	// No service crashes that often, so that none is given up. One that its stopped file holds while its sockets are open is
	// tried in a loop, which the limit ends.
	u.set("TriggerLimitIntervalSec", "2s")
	u.set("TriggerLimitBurst", "1000")
	return u.bytes(), nil
}

// socketAddress is how systemd names what a socket listens on. It reports false where that is not fixed.
func socketAddress(s *plan.Socket) (string, bool) {
	if s.Path.Op == expr.OpPath {
		return strings.ReplaceAll(s.Path.Text, "%", "%%"), true
	}
	if s.Port.IsZero() || !s.Port.Constant() {
		return "", false
	}
	port, err := s.Port.Eval(&expr.Env{})
	number := strconv.FormatInt(port.Int, 10)
	if s.Host != "" {
		number = net.JoinHostPort(s.Host, number)
	}
	return number, err == nil
}
