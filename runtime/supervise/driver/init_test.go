package driver

import (
	"testing"
	"time"
)

// TestWhatIsStuckIsNamed: the init's watchdog is fed only while what keeps recipes, what reads output and the services' own
// steps answer. One service alone may be stuck, and recipes may be waited for that take their time.
func TestWhatIsStuckIsNamed(t *testing.T) {
	t.Parallel()
	r := begun(t, planOf(serviceOf("one", "exec sleep 1000"), serviceOf("two", "exec sleep 1000")))
	r.pidOf("one")
	r.pidOf("two")
	const soon, ever = 50 * time.Millisecond, 20 * time.Second
	if stuck := r.stuck(ever); stuck != "" {
		t.Fatalf("at rest: %s", stuck)
	}
	hold := func(name string) (release func()) {
		held, done := make(chan struct{}), make(chan struct{})
		r.service(name).send(message{do: func() { close(held); <-done }})
		<-held
		return func() { close(done) }
	}
	one := hold("one")
	if stuck := r.stuck(ever); stuck != "" {
		t.Errorf("one service: %s", stuck)
	}
	two := hold("two")
	if stuck := r.stuck(soon); stuck != "what steps the services" {
		t.Errorf("all services: %q", stuck)
	}
	one()
	two()

	loading, loaded := make(chan struct{}, 100), make(chan struct{})
	r.mu.Lock()
	r.load = func() { loading <- struct{}{}; <-loaded }
	r.mu.Unlock()
	r.save("the second")
	<-loading
	if stuck := r.stuck(soon); stuck != "" {
		t.Errorf("while a recipe is evaluated: %s", stuck)
	}
	r.lifeline.until.Store(time.Now().UnixNano()) // for longer than it may take
	if stuck := r.stuck(soon); stuck != "what keeps the recipes" {
		t.Errorf("while it is never evaluated: %q", stuck)
	}
	close(loaded)
	r.until("all answers again", func() bool { return r.stuck(ever) == "" })
}
