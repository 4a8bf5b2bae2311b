package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, d.settings.greeting) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /level", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, d.log.currentLevel()) })
	mux.HandleFunc("GET /stats", d.stats)
	d.stunts(mux)
	return d.turns(mux)
}

// turns lets only as many requests in as there are workers, and none once the daemon hangs.
func (d *daemon) turns(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.working <- struct{}{}
		defer func() { <-d.working }()
		d.block()
		d.log.printf("debug", "%s %s", r.Method, r.URL)
		next.ServeHTTP(w, r)
	})
}

// block returns at once, or never when the daemon hangs.
func (d *daemon) block() {
	select {
	case <-d.hung:
		select {}
	default:
	}
}

// statistics is what GET /stats answers.
type statistics struct {
	PID     int      `json:"pid"`
	Version string   `json:"version"`
	Level   string   `json:"level"`
	Workers int      `json:"workers"`
	Lag     int64    `json:"lag_ms"`     // how late a timer of 1 ms comes
	Leaked  int      `json:"leaked_mib"` // by POST /do/leak
	Argv    []string `json:"argv"`
}

func (d *daemon) stats(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	time.Sleep(time.Millisecond)
	lag := time.Since(start) - time.Millisecond
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(statistics{
		PID: os.Getpid(), Version: version, Level: d.log.currentLevel(), Workers: d.settings.workers,
		Lag: lag.Milliseconds(), Leaked: d.leaked.mib(), Argv: d.argv,
	})
}
