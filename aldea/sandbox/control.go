package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxControl bounds what may be sent to the control endpoint.
const maxControl = 4 << 20

// control answers /control/faults: GET shows the present faults, POST replaces them, DELETE heals. All three answer
// with the faults as they are then.
func (h *Handler) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		h.Heal()
	case http.MethodPost:
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
		var f Faults
		if err == nil {
			err = f.UnmarshalJSON(b)
		}
		if err != nil {
			answer(w, http.StatusBadRequest, `{"error":`+quote(err.Error())+`}`)
			return
		}
		h.SetFaults(f)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		answer(w, http.StatusMethodNotAllowed, `{"error":"use GET, POST or DELETE"}`)
		return
	}
	b, err := h.Faults().MarshalJSON()
	if err != nil {
		answer(w, http.StatusInternalServerError, `{"error":`+quote(err.Error())+`}`)
		return
	}
	answer(w, http.StatusOK, string(b))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that went away needs no answer
}

// MarshalJSON writes {"plan":[…],"fault":{…},"outage":{"for":"20s","status":503,"drop":true}}; zero settings are left out.
func (f Faults) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteString(`{"plan":[`)
	for i, p := range f.Plan {
		if i > 0 {
			b.WriteByte(',')
		}
		j, err := p.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b.Write(j)
	}
	j, err := f.Fault.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b.WriteString(`],"fault":` + string(j))
	if f.Outage.For > 0 {
		b.WriteString(`,"outage":{"for":` + quote(f.Outage.For.String()))
		if f.Outage.Status != 0 {
			fmt.Fprintf(&b, `,"status":%d`, f.Outage.Status)
		}
		if f.Outage.Drop {
			b.WriteString(`,"drop":true`)
		}
		b.WriteByte('}')
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes; a fault may also be a string in its text form. It refuses
// what it does not know.
func (f *Faults) UnmarshalJSON(b []byte) error {
	var read Faults
	err := eachMember(b, func(name string, value json.RawMessage) error {
		switch name {
		case "plan":
			return json.Unmarshal(value, &read.Plan)
		case "fault":
			return json.Unmarshal(value, &read.Fault)
		case "outage":
			return read.Outage.readJSON(value)
		}
		return fmt.Errorf("no setting %q; there are plan, fault, outage", name)
	})
	if err == nil && len(read.Plan) > maxFaults {
		err = fmt.Errorf("a plan has at most %d faults", maxFaults)
	}
	if err != nil {
		return err
	}
	*f = read
	return nil
}

// readJSON reads an outage by way of the settings that a fault has for it.
func (o *Outage) readJSON(b []byte) error {
	names := map[string]string{"for": "outage", "status": "outage-status", "drop": "outage-drop"}
	var f Fault
	err := eachMember(b, func(name string, value json.RawMessage) error {
		known, ok := names[name]
		if !ok {
			return fmt.Errorf("no outage has a setting %q; there are for, status, drop", name)
		}
		k, err := findSetting(known)
		if err != nil {
			return err
		}
		return k.readJSON(&f, value)
	})
	if err != nil {
		return err
	}
	*o = f.Outage
	return f.validate()
}
