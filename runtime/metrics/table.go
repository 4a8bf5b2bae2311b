package metrics

import "time"

// Metric is a row of the table. Labels are those of each of its samples, in order.
type Metric struct {
	Name   string // with the _total or _info of its samples
	Type   Type
	Labels []string
	Help   string

	write func(*samples, *Snapshot)
}

// Type is a metric's.
type Type string

// The types. Text, which has no type info, shows one as a gauge.
const (
	Counter Type = "counter"
	Gauge   Type = "gauge"
	Hist    Type = "histogram"
	Info    Type = "info"
)

// Table lists all metrics in the order in which they are written.
func Table() []Metric {
	return []Metric{
		{"recipe_build_info", Info, []string{"version", "goversion"}, "The program that supervises.", func(w *samples, s *Snapshot) {
			w.add(1, s.Version, s.Go)
		}},
		{"recipe_containment_info", Info, []string{"containment"}, "What holds the processes of a service together.", func(w *samples, s *Snapshot) {
			w.add(1, s.Containment)
		}},
		{"recipe_config_info", Info, []string{"recipe", "digest"}, "The plan that holds.", eachRecipe(func(w *samples, r *Recipe) {
			if r.Digest != "" {
				w.add(1, r.Name, r.Digest)
			}
		})},
		{"recipe_config_refused", Gauge, []string{"recipe"}, "1 while the recipe or its flags cannot be used as they are, and the last good ones hold.", eachRecipe(func(w *samples, r *Recipe) {
			w.add(truth(r.Refused), r.Name)
		})},

		{"recipe_service_info", Info, []string{"service", "recipe", "kind"}, "What is supervised; kind is service or task.", each(func(w *samples, s *Service) {
			kind := "service"
			if s.Task != nil {
				kind = "task"
			}
			w.add(1, s.Name, s.Recipe, kind)
		})},
		{"recipe_service_state", Gauge, []string{"service", "state"}, "1 for the state that the service is in, 0 for all others.", each(func(w *samples, s *Service) {
			for _, state := range States {
				w.add(truth(s.State == state), s.Name, string(state))
			}
		})},
		{"recipe_service_up", Gauge, []string{"service"}, "1 while the service does its work; of a task, while its last run succeeded.", each(func(w *samples, s *Service) {
			w.add(truth(s.Up), s.Name)
		})},
		{"recipe_service_wanted", Gauge, []string{"service"}, "0 while an operator keeps the service stopped.", each(func(w *samples, s *Service) {
			w.add(truth(s.Wanted), s.Name)
		})},
		{"recipe_service_healthy", Gauge, []string{"service"}, "1 while every probe is answered; only of a service that runs and has probes.", each(func(w *samples, s *Service) {
			if s.Healthy != nil {
				w.add(truth(*s.Healthy), s.Name)
			}
		})},
		{"recipe_service_restarts_total", Counter, []string{"service", "reason"}, "Starts after the first, by why: exit and signal ended the daemon, probe killed it, prepare and spawn failed, change and operator asked for it.", each(func(w *samples, s *Service) {
			if s.Task != nil {
				return // each run of a task is a start
			}
			for cause, word := range Causes {
				w.add(float64(s.Restarts[cause]), s.Name, word)
			}
		})},
		{"recipe_service_last_exit_code", Gauge, []string{"service"}, "How the last incarnation ended: its exit code, or 128 and the number of the signal.", each(func(w *samples, s *Service) {
			if s.Exit != nil {
				w.add(float64(s.Exit.Code), s.Name)
			}
		})},
		{"recipe_service_last_exit_timestamp_seconds", Gauge, []string{"service"}, "When that was.", each(func(w *samples, s *Service) {
			if s.Exit != nil {
				w.add(unix(s.Exit.At), s.Name)
			}
		})},
		{"recipe_service_start_time_seconds", Gauge, []string{"service"}, "When the daemon that runs was executed; time() less this is its uptime.", each(func(w *samples, s *Service) {
			if !s.Executed.IsZero() {
				w.add(unix(s.Executed), s.Name)
			}
		})},
		{"recipe_service_start_duration_seconds", Gauge, []string{"service"}, "What the last start took until the daemon was executed, its preparation.", each(func(w *samples, s *Service) {
			if s.Start > 0 {
				w.add(s.Start.Seconds(), s.Name)
			}
		})},
		{"recipe_service_ready_duration_seconds", Gauge, []string{"service"}, "What the daemon then took until every probe was answered.", each(func(w *samples, s *Service) {
			if s.Ready > 0 {
				w.add(s.Ready.Seconds(), s.Name)
			}
		})},
		{"recipe_service_stalls_total", Counter, []string{"service"}, "Probes that proved nothing, since the supervisor, the machine or the service was paused.", each(func(w *samples, s *Service) {
			w.add(float64(s.Stalls), s.Name)
		})},
		{"recipe_probe_results_total", Counter, []string{"service", "probe", "result"}, "Questions that were asked, and words of the daemon that count as answers, by what came of them.", eachProbe(func(w *samples, s *Service, p *Probe) {
			for result, word := range Results {
				w.add(float64(p.Results[result]), s.Name, p.Name, word)
			}
		})},
		{"recipe_probe_duration_seconds", Hist, []string{"service", "probe"}, "What the questions took that proved something.", eachProbe(func(w *samples, s *Service, p *Probe) {
			if p.Took != (Histogram{}) {
				w.histogram(&p.Took, s.Name, p.Name)
			}
		})},
		{"recipe_service_memory_bytes", Gauge, []string{"service"}, "Memory of its processes: what the cgroup is charged with, or what is resident.", eachUsage(func(w *samples, s *Service, u *Usage) {
			w.add(float64(u.Memory), s.Name)
		})},
		{"recipe_service_cpu_seconds_total", Counter, []string{"service"}, "Time of the processor that the incarnation has taken.", eachUsage(func(w *samples, s *Service, u *Usage) {
			w.add(u.CPU.Seconds(), s.Name)
		})},
		{"recipe_service_open_fds", Gauge, []string{"service"}, "Open file descriptors of its processes.", eachUsage(func(w *samples, s *Service, u *Usage) {
			w.add(float64(u.Descriptors), s.Name)
		})},
		{"recipe_service_processes", Gauge, []string{"service"}, "Its processes.", eachUsage(func(w *samples, s *Service, u *Usage) {
			w.add(float64(u.Processes), s.Name)
		})},
		{"recipe_log_bytes_total", Counter, []string{"service"}, "Bytes of its output that were written to files.", each(func(w *samples, s *Service) {
			w.add(float64(s.Log.Bytes), s.Name)
		})},
		{"recipe_log_dropped_lines_total", Counter, []string{"service"}, "Lines of its output that are in no file.", each(func(w *samples, s *Service) {
			w.add(float64(s.Log.Dropped), s.Name)
		})},
		{"recipe_task_runs_total", Counter, []string{"service", "result"}, "Runs that ended, by whether they succeeded.", eachTask(func(w *samples, s *Service, t *Task) {
			w.add(float64(t.Runs-t.Failures), s.Name, Results[Success])
			w.add(float64(t.Failures), s.Name, Results[Failure])
		})},
		{"recipe_task_last_success_timestamp_seconds", Gauge, []string{"service"}, "When the last run that succeeded ended.", eachTask(func(w *samples, s *Service, t *Task) {
			if !t.Succeeded.IsZero() {
				w.add(unix(t.Succeeded), s.Name)
			}
		})},
		{"recipe_task_last_run_timestamp_seconds", Gauge, []string{"service"}, "When the last run ended.", eachTask(func(w *samples, s *Service, t *Task) {
			if !t.Ended.IsZero() {
				w.add(unix(t.Ended), s.Name)
			}
		})},
		{"recipe_task_last_run_duration_seconds", Gauge, []string{"service"}, "What that run took.", eachTask(func(w *samples, s *Service, t *Task) {
			if !t.Ended.IsZero() {
				w.add(t.Took.Seconds(), s.Name)
			}
		})},
		{"recipe_task_last_run_success", Gauge, []string{"service"}, "1 if that run succeeded.", eachTask(func(w *samples, s *Service, t *Task) {
			if !t.Ended.IsZero() {
				w.add(truth(t.OK), s.Name)
			}
		})},

		{"process_start_time_seconds", Gauge, nil, "When the supervisor began.", func(w *samples, s *Snapshot) { w.add(unix(s.Started)) }},
		{"process_cpu_seconds_total", Counter, nil, "Time of the processor that it has taken.", func(w *samples, s *Snapshot) { w.add(s.Self.CPU.Seconds()) }},
		{"process_resident_memory_bytes", Gauge, nil, "Its resident memory.", func(w *samples, s *Snapshot) { w.add(float64(s.Self.Memory)) }},
		{"process_virtual_memory_bytes", Gauge, nil, "Its address space.", func(w *samples, s *Snapshot) { w.add(float64(s.Self.Virtual)) }},
		{"process_open_fds", Gauge, nil, "Its open file descriptors.", func(w *samples, s *Snapshot) { w.add(float64(s.Self.Descriptors)) }},
		{"process_max_fds", Gauge, nil, "How many it may have.", func(w *samples, s *Snapshot) { w.add(float64(s.MostFiles)) }},
		{"go_goroutines", Gauge, nil, "Its goroutines.", func(w *samples, s *Snapshot) { w.add(float64(s.Goroutines)) }},
		{"go_memstats_alloc_bytes", Gauge, nil, "Bytes of its heap that are in use, or not collected yet.", func(w *samples, s *Snapshot) { w.add(float64(s.Heap)) }},
		{"go_memstats_sys_bytes", Gauge, nil, "Bytes that its runtime has of the system.", func(w *samples, s *Snapshot) { w.add(float64(s.Mapped)) }},
	}
}

func eachRecipe(write func(*samples, *Recipe)) func(*samples, *Snapshot) {
	return func(w *samples, s *Snapshot) {
		for i := range s.Recipes {
			write(w, &s.Recipes[i])
		}
	}
}

func each(write func(*samples, *Service)) func(*samples, *Snapshot) {
	return func(w *samples, s *Snapshot) {
		for i := range s.Services {
			write(w, &s.Services[i])
		}
	}
}

func eachProbe(write func(*samples, *Service, *Probe)) func(*samples, *Snapshot) {
	return each(func(w *samples, s *Service) {
		for i := range s.Probes {
			write(w, s, &s.Probes[i])
		}
	})
}

func eachUsage(write func(*samples, *Service, *Usage)) func(*samples, *Snapshot) {
	return each(func(w *samples, s *Service) {
		if s.Usage != nil {
			write(w, s, s.Usage)
		}
	})
}

func eachTask(write func(*samples, *Service, *Task)) func(*samples, *Snapshot) {
	return each(func(w *samples, s *Service) {
		if s.Task != nil {
			write(w, s, s.Task)
		}
	})
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
