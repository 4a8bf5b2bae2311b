package launch

import "os"

// The environment by which a daemon learns where to say that it is ready or alive (sd_notify(3), sd_watchdog_enabled(3)).
const (
	NotifySocket = "NOTIFY_SOCKET"
	WatchdogTime = "WATCHDOG_USEC"
	watchdogPID  = "WATCHDOG_PID"
)

// passOn hands what this process was told of where to say so to a daemon that does. An exec keeps the pid.
func (s *Spec) passOn() {
	if !s.Tells {
		return
	}
	for _, name := range []string{NotifySocket, WatchdogTime, watchdogPID} {
		if value, ok := os.LookupEnv(name); ok {
			s.Told = append(s.Told, name+"="+value)
		}
	}
}
