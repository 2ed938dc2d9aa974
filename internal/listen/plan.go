package listen

// How descriptors are shared out.
const (
	// connectionShare is which part of all descriptors connections that are no media streams may have.
	connectionShare = 4
	// reserved descriptors are for the journal, the log, the listeners and the recognizer's dials under way.
	reserved = 64
)

// A Plan says how many connections and calls a process has descriptors for.
type Plan struct {
	Connections int // for Config.Total
	Calls       int // how many calls can be up at once; not more than were asked for
	Needed      int // descriptors that as many calls as were asked for would take
}

// Share shares out a number of descriptors (0: unknown, and enough). A call takes perCall of them.
func Share(descriptors, calls, perCall int) Plan {
	if descriptors <= 0 {
		return Plan{Connections: DefaultTotal, Calls: calls}
	}
	p := Plan{Connections: max(min(descriptors/connectionShare, DefaultTotal), 2)}
	p.Needed = p.Connections + reserved + calls*perCall
	p.Calls = min(calls, max((descriptors-p.Connections-reserved)/perCall, 1))
	return p
}
