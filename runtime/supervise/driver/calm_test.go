package driver

import "testing"

// One collection a burst: those that die again and again are no burst.
func TestMemoryIsGivenBackAfterABurst(t *testing.T) {
	t.Parallel()
	c := newCalm()
	defer c.end()
	c.started()
	if c.timer == nil {
		t.Error("the first start is none")
	}
	c.collect()
	c.end()
	for range burst - 1 {
		c.started()
	}
	if c.timer.Stop() {
		t.Errorf("%d starts are one", burst-1)
	}
	c.started()
	if !c.timer.Stop() {
		t.Errorf("%d starts are none", burst)
	}
}
