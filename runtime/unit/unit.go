// Package unit renders a plan's services for the init of a host. One file an init; systemd is the one so far.
//
// A service becomes up to two units: SERVICE.service, whose ExecStart is run-SERVICE, and, when it has probes,
// SERVICE-check.service, which runs the script that Check writes beside every incarnation of the service. A task becomes
// TASK.service, one run of run-TASK, and, when it is periodic, TASK.timer. The sockets of a service are SERVICE.socket.
// Where recipe itself supervises a package, there is one unit for all, NAME.service.
//
// Rules:
//   - The unit adds no decision of its own: what prepares, drops privileges and judges the environment is run-SERVICE.
//   - Never give up: there is no start limit.
//   - Admin state persists: while the file that Stopped names exists the service is not started, whatever asks.
//   - A hung daemon is a dead daemon: the check kills the service's whole tree, and the restart path does the rest.
//   - Parentage is the only control link: no pidfile, no forking type.
//
// Tests: golden files, systemd-analyze verify, shellcheck and a run of the check in dash against a service that hangs;
// a booted systemd obeys these units in package hosttest.
package unit

import (
	"fmt"

	"recipe/runtime/plan"
)

// Names are the units of the service: the one that an admin starts and stops, then its check if it has probes.
func Names(s *plan.Service) []string {
	names := []string{s.Name + ".service"}
	if len(s.Asked()) > 0 {
		names = append(names, s.Name+"-check.service")
	}
	return names
}

// Launcher is where run-SERVICE lies on a host.
func Launcher(s *plan.Service) string { return "/usr/sbin/run-" + s.Name }

// Checker is where the script lies that performs the service's probes.
func Checker(p *plan.Plan, s *plan.Service) string { return "/usr/lib/" + p.Name + "/check-" + s.Name }

// Stopped is the file that keeps the service from being started: /etc/NAME/stopped, or /etc/NAME/SERVICE.stopped when
// the plan has several services. It says who stopped it, when and why.
func Stopped(p *plan.Plan, s *plan.Service) string {
	if len(p.Services) == 1 {
		return "/etc/" + p.Name + "/stopped"
	}
	return "/etc/" + p.Name + "/" + s.Name + ".stopped"
}

// clash refuses a plan in which another service takes the name of a unit of this one.
func clash(p *plan.Plan, s *plan.Service) error {
	if len(s.Asked()) > 0 && p.Launch(s.Name+"-check") != nil {
		return fmt.Errorf("cannot make the units of service %q: its probes run as %s-check.service, which is also the unit of %q: rename one", s.Name, s.Name, s.Name+"-check")
	}
	return nil
}
