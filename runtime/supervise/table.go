package supervise

import "slices"

// services is the machine of a service: what each event does in each state. An event without a row in a state means nothing
// there, and changes nothing. Of several states that a row may lead to, its method chooses.
var services = machine(
	on(Inherited{}, in(Stopped), (*step).inherit, to(Killing), "what an earlier supervisor left is killed"),

	on(Start{}, in(Stopped), (*step).begin, to(Queued), "the service is wanted, and asks to be admitted"),
	on(Start{}, in(Waiting), (*step).hurry, to(Queued), "the rest of the delay is left out"),
	on(Start{}, in(Ending, Killing), (*step).beginAfter, to(), "the next start is to come at once"),

	on(Stop{}, in(Stopped), (*step).stopAgain, to(), "the newer reason holds"),
	on(Stop{}, in(Waiting, Queued), (*step).stopIdle, to(Stopped), "nothing was running"),
	on(Stop{}, in(Starting), (*step).stopStarting, to(Killing), "the launcher is killed"),
	on(Stop{}, in(Running), (*step).stopRunning, to(Ending), "the stop signal is sent"),
	on(Stop{}, in(Ending, Killing), (*step).stopEnding, to(), "no start follows"),

	on(Restart{}, in(Waiting), (*step).restartWaiting, to(Queued), "the rest of the delay is left out"),
	on(Restart{}, in(Starting), (*step).restartStarting, to(Killing), "the launcher is killed, and the next start comes at once"),
	on(Restart{}, in(Running), (*step).restartRunning, to(Ending), "the stop signal is sent, and the next start comes at once"),
	on(Restart{}, in(Ending, Killing), (*step).restartEnding, to(), "a start that is to follow comes at once"),

	on(Reload{}, in(Starting), (*step).reloadStarting, to(Killing), "the launcher is killed, and the next start comes at once"),
	on(Reload{}, in(Running), (*step).reloadRunning, to(), "templates are rewritten, and the signal is sent"),

	on(Configure{}, in(Waiting), (*step).configureWaiting, to(), "the new configuration holds; a delay longer than its cap is cut short"),
	on(Configure{}, in(Stopped, Queued, Starting, Ending, Killing), (*step).configure, to(), "the new configuration holds"),
	on(Configure{}, in(Running), (*step).configureRunning, to(), "the new configuration holds; probes that changed begin anew"),

	on(Hasten{}, in(Ending), (*step).hasten, to(Killing), "the rest of the grace is left out"),
	on(Timer{}, in(Waiting), (*step).delayOver, to(Queued), "the delay is over"),
	on(Timer{}, in(Ending), (*step).graceOver, to(Killing), "the grace is over"),

	on(Admitted{}, in(Queued), (*step).admitted, to(Starting), "a launcher is spawned"),
	on(Executed{}, in(Starting), (*step).executed, to(Running), "the probes begin"),
	on(NotSane{}, in(Starting), (*step).notSane, to(), "what the launcher said is the reason of the exit that follows"),
	on(SpawnFailed{}, in(Starting), (*step).spawnFailed, to(Queued, Waiting), "a death as any other"),

	on(Exited{}, in(Starting), (*step).exitedStarting, to(Killing), "the start failed; what is left of the tree is killed"),
	on(Exited{}, in(Running), (*step).exitedRunning, to(Killing), "what is left of the tree is killed"),
	on(Exited{}, in(Ending), (*step).exitedEnding, to(Killing), "what is left of the tree is killed"),
	on(Emptied{}, in(Killing), (*step).emptied, to(Stopped, Queued, Waiting), "nothing is left: stopped, or the next start, at once or after a delay"),

	on(Extend{}, in(Running), (*step).extendStart, to(), "a daemon that starts has more time before failures count"),
	on(Extend{}, in(Ending), (*step).extendStop, to(), "a daemon that stops has more time before it is killed"),
	on(Leaving{}, in(Running), (*step).leaves, to(Ending), "its grace begins, without a signal"),
	on(Answer{}, in(Running), (*step).answer, to(Killing), "judged; a daemon that hangs is killed"),
)

// tasks is the machine of a task.
var tasks = machine(
	on(Inherited{}, in(Stopped), (*taskStep).inherit, to(Killing), "what an earlier supervisor left is killed"),

	on(Start{}, in(Stopped), (*taskStep).begin, to(Queued, Waiting), "run once: asks to be admitted; else waits for its time"),
	on(Start{}, in(Ending, Killing), (*taskStep).want, to(), "the task is wanted again"),
	on(RunNow{}, in(Stopped, Waiting, Done), (*taskStep).run, to(Queued), "asks to be admitted"),
	on(RunNow{}, in(Ending, Killing), (*taskStep).runAfter, to(), "the next run comes at once"),
	on(RunNow{}, in(Queued, Starting, Running), (*taskStep).runUnderWay, to(), "it is under way already"),

	on(Stop{}, in(Stopped), (*taskStep).stopAgain, to(), "the newer reason holds"),
	on(Stop{}, in(Waiting, Queued, Done), (*taskStep).stopIdle, to(Stopped), "nothing was running"),
	on(Stop{}, in(Starting), (*taskStep).stopStarting, to(Killing), "the launcher is killed"),
	on(Stop{}, in(Running), (*taskStep).stopRunning, to(Ending), "the stop signal is sent"),
	on(Stop{}, in(Ending), (*taskStep).stopEnding, to(), "no run follows"),
	on(Stop{}, in(Killing), (*taskStep).stopKilling, to(), "no run follows; how it ended is known already"),

	on(Restart{}, in(Waiting), (*taskStep).restartWaiting, to(Queued), "its time is not waited for"),
	on(Restart{}, in(Done), (*taskStep).restartDone, to(Queued), "run again"),
	on(Restart{}, in(Starting), (*taskStep).restartStarting, to(Killing), "the launcher is killed, and the next run comes at once"),
	on(Restart{}, in(Running), (*taskStep).restartRunning, to(Ending), "the stop signal is sent, and the next run comes at once"),
	on(Restart{}, in(Ending, Killing), (*taskStep).restartEnding, to(), "a run that is to follow comes at once"),

	on(ConfigureTask{}, in(Stopped, Queued, Ending, Killing), (*taskStep).configure, to(), "the new configuration holds"),
	on(ConfigureTask{}, in(Starting, Running), (*taskStep).configureRun, to(), "the new timeout holds, from when the run began"),
	on(ConfigureTask{}, in(Waiting), (*taskStep).configureIdle, to(Queued), "the new times hold; one that is now run once asks to be admitted"),
	on(ConfigureTask{}, in(Done), (*taskStep).configureIdle, to(Waiting), "the new times hold"),

	on(Hasten{}, in(Ending), (*taskStep).hasten, to(Killing), "the rest of the grace is left out"),
	on(Timer{}, in(Waiting), (*taskStep).timeCome, to(Queued), "its time has come; after the clock was set back it waits anew"),
	on(Timer{}, in(Starting, Running), (*taskStep).timeout, to(Killing), "the timeout is over"),
	on(Timer{}, in(Ending), (*taskStep).graceOver, to(Killing), "the grace is over"),

	on(Admitted{}, in(Queued), (*taskStep).admitted, to(Starting), "a launcher is spawned"),
	on(Executed{}, in(Starting), (*taskStep).executed, to(Running), "it runs"),
	on(NotSane{}, in(Starting), (*taskStep).notSane, to(), "what the launcher said is the reason of the exit that follows"),
	on(SpawnFailed{}, in(Starting), (*taskStep).spawnFailed, to(Waiting), "a run that failed"),

	on(Exited{}, in(Starting), (*taskStep).exitedStarting, to(Killing), "the run failed; what is left of the tree is killed"),
	on(Exited{}, in(Running), (*taskStep).exitedRunning, to(Killing), "what is left of the tree is killed"),
	on(Exited{}, in(Ending), (*taskStep).exitedEnding, to(Killing), "what is left of the tree is killed"),
	on(Emptied{}, in(Killing), (*taskStep).emptied, to(Stopped, Queued, Waiting, Done), "nothing is left: stopped, done, or the next run, at once or at its time"),
)

// Row is one row of a machine: what the event does in each of the states In. To are the states that it may lead to, besides
// the one that it came in.
type Row struct {
	Event string
	In    []State
	To    []State
	Does  string
}

// ServiceRows are the machine of a service, in the order of its table.
func ServiceRows() []Row { return rows(services) }

// TaskRows are the machine of a task.
func TaskRows() []Row { return rows(tasks) }

// reaction is a Row with what it does. S is the step that it works on.
type reaction[S any] struct {
	kind kind
	in   []State
	do   func(S, Event)
	to   []State
	does string
}

func on[S any, E Event](e E, in []State, do func(S, E), to []State, does string) reaction[S] {
	return reaction[S]{e.kind(), in, func(s S, e Event) { do(s, e.(E)) }, to, does}
}

func in(states ...State) []State { return states }
func to(states ...State) []State { return states }

// reactions is a machine: its table, and where in it the reaction to each event is found.
type reactions[S any] struct {
	table []reaction[S]
	index map[State]*[kinds]func(S, Event)
}

func machine[S any](table ...reaction[S]) reactions[S] {
	m := reactions[S]{table, map[State]*[kinds]func(S, Event){}}
	for _, r := range table {
		for _, state := range r.in {
			if m.index[state] == nil {
				m.index[state] = new([kinds]func(S, Event))
			}
			m.index[state][r.kind] = r.do
		}
	}
	return m
}

// react does what the event does in the state.
func (m reactions[S]) react(s S, state State, e Event) {
	if do := m.index[state][e.kind()]; do != nil {
		do(s, e)
	}
}

func rows[S any](m reactions[S]) []Row {
	var all []Row
	for _, r := range m.table {
		all = append(all, Row{r.kind.String(), slices.Clone(r.in), slices.Clone(r.to), r.does})
	}
	return all
}
