package plan

import "errors"

// PortableTerminal is nil for a service that can do without one, which sh cannot give. The error goes on after the service.
func (s *Service) PortableTerminal() error {
	if s.Terminal {
		return errors.New("has a terminal, which only the supervisor gives: under an init nobody could attach to it")
	}
	return nil
}

func (c *checker) terminal(at string, s *Service) {
	pkg := c.plan.Package
	if pkg == nil || pkg.Runtime != RuntimeStandalone || pkg.Style == StyleBare {
		return
	}
	if err := s.PortableTerminal(); err != nil {
		c.report(Problem{Path: at + ".terminal", Code: CodePortable, Message: "a service of a standalone package " + err.Error(),
			Hint: `package(runtime = "recipe") has recipe itself supervise it, and depends on it`})
	}
}
