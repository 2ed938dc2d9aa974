package main

import (
	"cmp"
	"os"
	"regexp"
	"strings"
)

// An action is one of docs/actions.md.
type action map[string]any

// An event is what the menu needs of those in docs/events.md.
type event struct {
	Type string
	Data struct {
		Call           struct{ ID string }
		Sequence       int
		Utterance      struct{ Speaker, Text string }
		Digits, Reason string
		ActionID       string `json:"action_id"`
		EndedBy        string `json:"ended_by"`
	}
}

var (
	choices = regexp.MustCompile(`\b(sales|1|support|2|goodbye|3)\b`)
	keys    = map[string]string{"1": "sales", "2": "support", "3": "goodbye"}
	desks   = map[string]string{
		"sales":   cmp.Or(os.Getenv("SALES_NUMBER"), "+15550100011"),
		"support": cmp.Or(os.Getenv("SUPPORT_NUMBER"), "+15550100012"),
	}
)

func say(text string) action { return action{"type": "say", "text": text} }

// menu asks for a key first, so that one counts while the text is being said.
func menu(id, greeting string) []action {
	return []action{
		{"type": "listen", "id": id, "gather": action{"max_digits": 1, "timeout_ms": 10000}},
		say(greeting + " Say sales or press 1, say support or press 2, say goodbye or press 3."),
	}
}

func choose(said string) []action {
	word := choices.FindString(strings.ToLower(said))
	switch choice := cmp.Or(keys[word], word); choice {
	case "sales", "support":
		return []action{say("I connect you with " + choice + "."), {"type": "transfer", "id": "transfer", "to": desks[choice]}}
	case "goodbye":
		return []action{say("Goodbye."), {"type": "hangup"}}
	}
	return menu("menu", "Sorry, I did not understand.")
}

// answer is the whole dialogue.
func answer(e event) []action {
	switch d := e.Data; {
	case e.Type == "call.started":
		return menu("menu", "Welcome.")
	case e.Type == "utterance.final" && d.Utterance.Speaker == "caller":
		return choose(d.Utterance.Text)
	case e.Type == "digits.gathered" && (d.EndedBy == "max_digits" || d.EndedBy == "terminator"):
		return choose(d.Digits)
	case e.Type == "digits.gathered" && d.EndedBy == "timeout" && d.ActionID == "again":
		return choose("goodbye")
	case e.Type == "digits.gathered" && d.EndedBy == "timeout":
		return menu("again", "Are you still there?")
	case e.Type == "action.failed" && d.ActionID == "transfer":
		return menu("menu", "Sorry, nobody could be reached.")
	}
	return []action{}
}
