package simulate

import "recipe/runtime/supervise"

// table: every step is in the table of the machine.
func (r *rules) table(sv *service, from supervise.State, e supervise.Event) {
	book := serviceBook
	if sv.task != nil {
		book = taskBook
	}
	way := way{supervise.EventName(e), from, sv.state()}
	if sv.w.ways != nil {
		sv.w.ways[way]++
	}
	if from != way.to && !book[way] {
		sv.w.breaks("the table", "%s: %s led from %s to %s", sv.Name, way.event, from, way.to)
	}
}

// way is one step as a table has it.
type way struct {
	event    string
	from, to supervise.State
}

func bookOf(rows []supervise.Row) map[way]bool {
	book := map[way]bool{}
	for _, row := range rows {
		for _, from := range row.In {
			for _, to := range row.To {
				book[way{row.Event, from, to}] = true
			}
		}
	}
	return book
}

var (
	serviceBook = bookOf(supervise.ServiceRows())
	taskBook    = bookOf(supervise.TaskRows())
)
