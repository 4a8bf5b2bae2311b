package driver

import (
	"context"
	"time"
)

// mostRetry is the longest pause before a recipe that was refused is tried again.
const mostRetry = 5 * time.Minute

// keep handles changes of files until ctx ends.
func (s *Supervisor) keep(ctx context.Context) {
	defer close(s.kept)
	for _, e := range s.missed {
		s.changed(ctx, e)
	}
	s.missed = nil
	for {
		s.bury()
		for _, r := range s.recipes {
			for r.stale && ctx.Err() == nil {
				s.recipeChanged(ctx, r, false)
			}
		}
		s.showRecipes()
		var again <-chan time.Time
		if due := s.nextTry(); !due.IsZero() {
			again = time.After(time.Until(due))
		}
		select {
		case <-ctx.Done():
			return
		case e := <-s.watcher.Events():
			s.tryEarlier(s.retry)
			s.changed(ctx, e)
		case <-s.departed:
			s.tryEarlier(0)
		case c := <-s.settings:
			s.set(ctx, c)
		case answer := <-s.lifeline.asks:
			close(answer)
		case <-again:
			s.tryAgain(ctx)
		case wish := <-s.upgrades:
			s.upgrade(ctx, wish)
		}
	}
}

// unfinished tells whether something of the recipe is to be tried again by and by.
func (r *recipe) unfinished() bool {
	return r.retry || r.lacks || r.denied != "" && !r.unused
}

// nextTry is when the first recipe is due; zero where none is.
func (s *Supervisor) nextTry() (next time.Time) {
	for _, r := range s.recipes {
		switch {
		case !r.unfinished():
			r.pause, r.due = 0, time.Time{}
			continue
		case r.due.IsZero():
			r.pause, r.due = s.retry, time.Now().Add(s.retry)
		}
		if next.IsZero() || r.due.Before(next) {
			next = r.due
		}
	}
	return next
}

// tryEarlier begins the pauses anew, since what was wrong may be mended; one that is shorter yet goes on.
func (s *Supervisor) tryEarlier(pause time.Duration) {
	for _, r := range s.recipes {
		if by := time.Now().Add(pause); r.due.After(by) {
			r.pause, r.due = s.retry, by
		}
	}
}

// tryAgain evaluates the recipes that were refused, ever more seldom while nothing changes: each costs a process. It adds the
// services that could not be, and reads the secrets that were refused, of which nobody tells that their mode was mended.
func (s *Supervisor) tryAgain(ctx context.Context) {
	for _, r := range s.recipes {
		if r.due.IsZero() || time.Now().Before(r.due) {
			continue
		}
		pause := min(2*r.pause, mostRetry)
		switch {
		case r.retry:
			s.recipeChanged(ctx, r, true)
		case r.lacks:
			s.install(r, nil, r.plan, r.env)
		default:
			pause = s.retry
			s.flagsAgain(r)
		}
		r.pause, r.due = pause, time.Now().Add(pause)
	}
}
